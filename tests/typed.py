"""The command `millrace`, as people type it."""

import subprocess
import sys
from pathlib import Path

# not `sys.executable` alone: it may be relative, and some tests type in other folders
MILLRACE = [str(Path(sys.executable).absolute()), "-m", "pipelines.cli"]


def millrace(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Type a command to its end; gives its status and what it wrote."""
    words = [*MILLRACE, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=600, cwd=cwd)

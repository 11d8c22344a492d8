"""TFX in an environment of its own, `.peers/tfx`, as locked; its last version needs Python 3.10 or less."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from components.common.errors import UnavailableError

HOME = Path(__file__).parent / "tfx"
_ENVIRONMENT = Path(".peers/tfx")
_UV = Path(".tools/bin/uv")
_FIX = "install Python 3.10, or name it in PYTHON310; the other peers are measured without it"


def tfx_python() -> Path:
    """Return the Python of TFX's environment, and make the environment where it is not there as locked.

    Raises:
        UnavailableError: There is no Python 3.10, or what is locked cannot be installed.
    """
    lock = HOME / "lock.txt"
    stamp, digest = _ENVIRONMENT / "lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    python = _ENVIRONMENT / "bin" / "python"
    if not stamp.is_file() or stamp.read_text() != digest:
        _uv("venv", "-q", "--allow-existing", "--python", _find_python(), str(_ENVIRONMENT))
        install = ("pip", "sync", "-q", "--require-hashes", "--compile-bytecode", "--python", str(python))
        _uv(*install, str(lock))
        stamp.write_text(digest)
    return python.absolute()


def _find_python() -> str:
    for python in _candidates():
        asked = [python, "-c", "import sys; print(*sys.version_info[:2])"]
        found = subprocess.run(asked, capture_output=True, text=True)
        if found.stdout.split() == ["3", "10"]:
            return python
    raise UnavailableError("no Python 3.10 runs here", where="TFX 1.16", fix=_FIX)


def _candidates() -> Iterator[str]:
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    named = (os.environ.get("PYTHON310"), shutil.which("python3.10"))
    yield from (name for name in named if name)
    yield from map(str, sorted(versions.glob("3.10.*/bin/python3.10")))


def _uv(*arguments: str) -> None:
    done = subprocess.run([str(_UV), *arguments], capture_output=True, text=True)
    if done.returncode:
        told = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise UnavailableError("TFX cannot be installed", where=str(_ENVIRONMENT), value=told, fix=_FIX)

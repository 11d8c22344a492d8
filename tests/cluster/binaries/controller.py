"""Finds KServe's controller, or has Go build it once."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cluster.binaries.build import HERE, cache_folder, find_go, go_build

MODULE = HERE / "kserve"
MAIN = "cmd/manager/main.go"
# The manager opens its webhook on every address, and has no option for another: one line is changed.
OPEN, CLOSED = "Port: options.webhookPort,", 'Port: options.webhookPort, Host: "127.0.0.1",'


def controller() -> Path:
    """KServe's controller, in the user's cache."""
    digest = hashlib.sha256(CLOSED.encode())
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    found = cache_folder() / f"kserve-{digest.hexdigest()[:16]}"
    if not found.is_file():
        _build(found)
    return found


def _build(found: Path) -> None:
    go = find_go()
    sys.stderr.write(f"building KServe's controller into {found}: minutes, once\n")
    found.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=found.parent) as scratch:
        folder = Path(scratch)
        for name in ("go.mod", "go.sum"):
            shutil.copy(MODULE / name, folder)
        told = subprocess.run(
            [go, "mod", "download", "-json", "github.com/kserve/kserve"], cwd=folder, check=True,
            capture_output=True,
        )  # fmt: skip
        text = Path(json.loads(told.stdout)["Dir"], MAIN).read_text(encoding="utf-8")
        assert text.count(OPEN) == 1, f"{MAIN} of KServe is another"
        (folder / "main.go").write_text(text.replace(OPEN, CLOSED), encoding="utf-8")
        go_build(go, folder, "-s -w", "controller", "main.go")
        (folder / "controller").rename(found)

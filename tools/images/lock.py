"""`docker/images.lock`: where each image lies, by digest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tools.images.engine import ROOT

LOCK = ROOT / "docker" / "images.lock"
_HEAD = "# Written by `make images` (on this machine) and `make push` (in a registry).\n"


def read_lock(file: Path = LOCK) -> dict[str, str]:
    """Return the reference of each image by its logical name; empty before the first build."""
    if not file.exists():
        return {}
    lines = (line.partition(": ") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: reference for name, _, reference in lines if reference and not name.startswith("#")}


def write_lock(found: Mapping[str, str], file: Path = LOCK) -> None:
    """Put references into the lock; those of other images stay as they are."""
    content = {**read_lock(file), **found}
    text = "".join(f"{name}: {content[name]}\n" for name in sorted(content))
    file.write_text(_HEAD + text, encoding="utf-8")

"""Pushing: what was built goes to a registry, which says by which digest it has it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.images.engine import StopError, ask, do, has


def push(
    names: Iterable[str], engine: str, here: Mapping[str, str], registry: str, tag: str
) -> dict[str, str]:
    """Push images.

    Args:
        names: Of Dockerfiles.
        engine: Keeps them.
        here: What the engine calls each; never the lock's reference, which after a push is the registry's.
        registry: Where they go, such as `registry.example/team`.
        tag: Their tag there; people read it, what uses them goes by digest.

    Returns:
        The reference by digest of each, by its logical name.

    Raises:
        StopError: One was not built, or the registry does not take it.
    """
    pushed: dict[str, str] = {}
    for name in names:
        logical = f"millrace/{name}"
        if not has(engine, here[name]):
            raise StopError(f"{logical} is not built from this commit: run `make images` first")
        there = f"{registry}/{logical}"
        ask([engine, "tag", here[name], f"{there}:{tag}"])
        pushed[logical] = f"{there}@{_push(engine, there, tag)}"
    return pushed


def _push(engine: str, there: str, tag: str) -> str:
    """Push one image, and return the digest that the registry gave it."""
    if engine == "docker":
        said = ask([engine, "push", f"{there}:{tag}"])  # `RepoDigests` may name what the engine has instead
        if found := re.search(r"digest: (sha256:[0-9a-f]{64})", said):
            return found[1]
        raise StopError(f"{there}:{tag} was pushed, but by which digest was not said: {said[-200:]}")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "digest")
        do([engine, "push", "--digestfile", str(file), f"{there}:{tag}"], f"pushing {there}")
        return file.read_text(encoding="utf-8").strip()

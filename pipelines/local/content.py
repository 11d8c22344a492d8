"""Artifacts as tasks hand them on, and whether what they point to is still what it was."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from components.common.storage import content_digest


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One artifact.

    Attributes:
        port: The output that gave it.
        title: Schema title, such as `system.Model`.
        version: Schema version.
        uri: Absolute path of a file or folder.
        metadata: What the task said about it: text and numbers.
        digest: sha256 of what lies at the uri; empty when the artifact is metadata alone.
        id: Its id in ML Metadata, or None before it is recorded.
        copy: Where tasks find it instead, in the workspace; None when they find it at its uri.
    """

    port: str
    title: str
    version: str
    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    digest: str = ""
    id: int | None = None
    copy: str | None = None

    def as_runtime(self) -> dict[str, Any]:
        """Return it as KFP's `RuntimeArtifact`."""
        kind = {"schemaTitle": self.title, "schemaVersion": self.version}
        uri = self.copy or self.uri
        return {"name": str(self.id), "uri": uri, "type": kind, "metadata": dict(self.metadata)}


class Digests:
    """Content digests, computed once as long as no file changes its size, time or inode."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._known: dict[str, tuple[list[tuple[str, int, int, int]], str]] = {}
        self._lock = threading.Lock()

    def of(self, path: Path) -> str:
        """Return the content digest of a file or folder.

        Raises:
            FileNotFoundError: Nothing is there.
        """
        stamps = _stamps(path)
        with self._lock:
            known = self._known.get(str(path))
        if known and known[0] == stamps:
            return known[1]
        digest = content_digest(path)
        with self._lock:
            self._known[str(path)] = (stamps, digest)
        return digest

    def change(self, artifact: Artifact) -> str | None:
        """Say what happened to an artifact since it was recorded, or None when it is as it was."""
        if not artifact.digest:
            return None
        try:
            digest = self.of(Path(artifact.uri))
        except OSError as error:
            return f"{artifact.uri} is gone" if isinstance(error, FileNotFoundError) else str(error)
        return None if digest == artifact.digest else f"{artifact.uri} was changed"

    def first_change(self, artifacts: Iterable[Artifact]) -> str | None:
        """Say what happened to the first of some artifacts that is not as it was, or None."""
        return next((change for change in map(self.change, artifacts) if change), None)

    def require_unchanged(self, artifact: Artifact, where: str) -> None:
        """Refuse an input that is not what its producer left.

        Raises:
            BadInputError: It is gone or was changed.
        """
        if change := self.change(artifact):
            fix = "run again: the task that makes it is then executed anew"
            raise BadInputError(f"input cannot be used: {change}", where=where, fix=fix)


def _stamps(path: Path) -> list[tuple[str, int, int, int]]:
    inside = [Path(at, name) for at, _, names in os.walk(path) for name in names]
    stamps: list[tuple[str, int, int, int]] = []
    for file in sorted(inside) if path.is_dir() else [path]:
        status = file.stat()
        stamps.append((str(file), status.st_size, status.st_mtime_ns, status.st_ino))
    return stamps

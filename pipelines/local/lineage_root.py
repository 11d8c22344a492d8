"""Lineage of the runs of a root, whose artifacts are folders here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from components.common.artifacts import SourceFile, read_endpoint, read_snapshot
from components.common.errors import BadInputError, ComponentError
from pipelines.local.lineage_reader import LineageReader
from pipelines.local.serving.state import StateFolder
from pipelines.local.store import STORE_NAME, Store

_MODEL_ADDRESS = re.compile(r"/v[12]/models/([^/:]+)")


class RootReader(LineageReader):
    """Reads the store of a root, and what its artifacts hold."""

    def __init__(self, root: Path) -> None:
        """Open the store of a root.

        Raises:
            BadInputError: Nothing was recorded there.
            UnavailableError: It stayed locked.
        """
        path = root.absolute() / STORE_NAME
        if not path.exists():
            fix = "give the `--root` of your runs"
            raise BadInputError("no run was recorded here", where=path, fix=fix)
        super().__init__(Store(path), path)
        self._root = path.parent

    def artifact(self, uri: str) -> Any:
        """Return the artifact at a path, that a path lies in, or behind an endpoint's address; or None."""
        if uri.startswith(("http://", "https://")):
            return self._answering(uri)
        place = Path(uri.removeprefix("file://")).absolute()
        return self.first_at((uri, *map(str, (place, *place.parents))))

    def _answering(self, url: str) -> Any:
        """Return the model that answers at an address, or else the last endpoint deployed there."""
        found = _MODEL_ADDRESS.search(url)
        name = found[1] if found else ""
        serving = StateFolder.of(self._root).read_state().endpoints.get(name)
        if serving is not None:
            shares: dict[str, int] = serving["weights"]
            revision = max(shares, key=lambda each: shares[each], default=None)
            return None if revision is None else self.artifact(serving["revisions"][revision]["model_uri"])
        folders = ((record, Path(record.uri)) for record in reversed(self.all_artifacts()))
        endpoints = ((record, folder) for record, folder in folders if (folder / "endpoint.json").is_file())
        return next((record for record, folder in endpoints if read_endpoint(folder).name == name), None)

    def is_snapshot(self, record: Any) -> bool:
        """Tell whether an artifact says which data was read."""
        return (Path(record.uri) / "snapshot.json").is_file()

    def sources(self, record: Any) -> list[tuple[str, SourceFile]]:
        """Return the source files of an artifact that is a snapshot, with the names of their sources."""
        if not self.is_snapshot(record):
            return []
        try:
            sources = read_snapshot(Path(record.uri)).sources
            return [(name, SourceFile(**file)) for name, many in sorted(sources.items()) for file in many]
        except (ComponentError, TypeError):
            return []  # it was damaged since its task ended well; the rest of the tree still holds

    def endpoint_url(self, record: Any) -> str | None:
        """Return the address that an artifact says a model answers at; empty when it says none."""
        folder = Path(record.uri)
        if not (folder / "endpoint.json").exists():
            return None
        try:
            return read_endpoint(folder).url or ""
        except ComponentError:
            return ""

    def stands_in(self, record: Any) -> bool:
        """Tell whether an artifact only says that there is no baseline."""
        return (Path(record.uri) / "no_baseline.json").exists()

"""Results of earlier tasks, found again by everything that could change them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.code import code_digest
from components.common.documents import read_document, write_document
from components.common.errors import BadInputError
from pipelines.local.content import Artifact
from pipelines.local.environments import Environment
from pipelines.local.exchange import Inputs, Outputs
from pipelines.local.plan import Container, Task

_ROOM = re.compile(r"\bcomponents\.(\w+)")


@dataclass(frozen=True, kw_only=True)
class CachedResult:
    """What a task gave when it was executed: `<key>.json`.

    Attributes:
        run_id: The run that executed it.
        task: Its label there.
        execution: Its id in ML Metadata.
        parameters: Its output parameters.
        artifacts: Its output artifacts, as mappings of `Artifact`.
        key: What stood for all that could change it.
    """

    run_id: str
    task: str
    execution: int
    parameters: dict[str, Any]
    artifacts: dict[str, dict[str, Any]]
    key: str = ""

    @classmethod
    def of(cls, outputs: Outputs, *, run_id: str, task: str, execution: int, key: str) -> CachedResult:
        """Return the result of a task; see the attributes."""
        artifacts = {port: dataclasses.asdict(artifact) for port, artifact in outputs.artifacts.items()}
        return cls(
            run_id=run_id, task=task, execution=execution, parameters=dict(outputs.parameters),
            artifacts=artifacts, key=key,
        )  # fmt: skip

    def outputs(self) -> Outputs:
        """Return them as outputs of a task."""
        artifacts = {port: Artifact(**fields) for port, fields in self.artifacts.items()}
        return Outputs(parameters=self.parameters, artifacts=artifacts)


class Cache:
    """A folder of results, one file a key."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which need not exist."""
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    def find(self, key: str) -> CachedResult | None:
        """Return the result of a key; None when there is none, or the file cannot be understood."""
        file = self._folder / f"{key}.json"
        try:
            found = read_document(file, CachedResult) if file.exists() else None
            if found is not None:
                found.outputs()
            return found
        except (BadInputError, TypeError, AttributeError):
            return None  # a result that cannot be read is one to make anew

    def store(self, result: CachedResult, name: str | None = None) -> None:
        """Keep a result under its key, or another name; what was there is replaced."""
        write_document(self._folder / f"{name or result.key}.json", result)


def cache_key(
    task: Task, container: Container, inputs: Inputs, environment: Environment, given: str = ""
) -> str:
    """Return the sha256 over everything that can change what a task gives.

    That is: image and the lock of its environment; command, arguments and variables; `given`, which stands
    for values of secrets and config maps; parameters; content and metadata of the input artifacts; the
    outputs that are asked for; and the code of the rooms that the command names, with `common`. Not in it:
    names of runs, paths, times.
    """
    artifacts = {
        port: [[found.digest, found.title, dict(found.metadata)] for found in many]
        for port, many in inputs.artifact_lists().items()
    }
    parts = [
        container.image, environment.digest, container.command, dict(container.environment),
        dict(inputs.parameters), artifacts,
        {name: spec.type for name, spec in task.outputs.parameters.items()},
        {name: [spec.title, spec.version] for name, spec in task.outputs.artifacts.items()},
        code_digest(*rooms_named(container)), *([given] if given else []),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def digests_of_rooms(containers: Iterable[Container]) -> dict[str, str]:
    """Return the digest of the code of each room that some commands import, and of `common`."""
    rooms = {room for container in containers for room in rooms_named(container)}
    return {room: code_digest(room) for room in sorted(rooms)}


def rooms_named(container: Container) -> list[str]:
    """List the rooms whose code a command imports, and `common`, sorted."""
    return sorted({"common", *(room for part in container.command for room in _ROOM.findall(part))})

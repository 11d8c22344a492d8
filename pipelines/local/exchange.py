"""What a task is given and what it gives back: KFP's `ExecutorInput` and `ExecutorOutput`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.content import Artifact, Digests
from pipelines.local.plan import ArtifactSpec, Task
from pipelines.local.values import as_sent, convert, parse

_METADATA_ALONE = ("system.Metrics", "system.ClassificationMetrics", "system.SlicedClassificationMetrics")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything that a task takes, resolved; what is unset is absent."""

    parameters: Mapping[str, Any]
    artifacts: Mapping[str, Artifact | list[Artifact]]

    def artifact_lists(self) -> dict[str, list[Artifact]]:
        """Return the artifacts of each port as a list."""
        found = self.artifacts.items()
        return {port: one if isinstance(one, list) else [one] for port, one in found}


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Everything that a task gave."""

    parameters: Mapping[str, Any]
    artifacts: Mapping[str, Artifact]

    def of(self, port: str) -> Any:
        """Return the artifact or the value of a port, or None."""
        return self.artifacts.get(port, self.parameters.get(port))

    def with_ids(self, ids: Mapping[str, int]) -> Outputs:
        """Return it with the ids of its artifacts in ML Metadata, by port."""
        artifacts = {port: replace(found, id=ids[port]) for port, found in self.artifacts.items()}
        return replace(self, artifacts=artifacts)

    @property
    def verdict(self) -> bool | None:
        """The boolean output `Output`, or None when there is none."""
        value = self.parameters.get("Output")
        return value if isinstance(value, bool) else None

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers in its artifacts of the type `system.Metrics`."""
        said = [found.metadata for found in self.artifacts.values() if found.title == "system.Metrics"]
        numbers = ((key, value) for one in said for key, value in one.items())
        return {key: float(value) for key, value in numbers if isinstance(value, (int, float))}


def executor_input(task: Task, inputs: Inputs, exchange: Path, artifacts: Path) -> dict[str, Any]:
    """Build the input of a task's executor.

    Args:
        task: The task.
        inputs: What it takes.
        exchange: Folder for its parameters and the executor's output; made here.
        artifacts: Folder for its artifacts; made here, the artifacts are not.

    Returns:
        JSON values.
    """
    exchange.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    given = {port: [found.as_runtime() for found in many] for port, many in inputs.artifact_lists().items()}
    return {
        "inputs": {
            "parameterValues": as_sent(dict(inputs.parameters)),
            "artifacts": {port: {"artifacts": many} for port, many in given.items()},
        },
        "outputs": {
            "parameters": {name: {"outputFile": str(exchange / name)} for name in task.outputs.parameters},
            "artifacts": {
                port: {"artifacts": [_planned(port, spec, artifacts)]}
                for port, spec in task.outputs.artifacts.items()
            },
            "outputFile": str(exchange / "executor_output.json"),
        },
    }


def _planned(port: str, spec: ArtifactSpec, folder: Path) -> dict[str, Any]:
    kind = {"schemaTitle": spec.title, "schemaVersion": spec.version}
    return {"name": port, "uri": str(folder / port), "type": kind, "metadata": {}}


def collect_outputs(task: Task, given: Mapping[str, Any], digests: Digests) -> Outputs:
    """Read what a task left when it ended well.

    Args:
        task: The task.
        given: Its executor's input.
        digests: Digests of what it wrote.

    Raises:
        BadInputError: It left an output out, or gave one that nobody could use; the port is named.
    """
    file = Path(given["outputs"]["outputFile"])
    said: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    parameters = {
        name: _parameter(task, name, given["outputs"]["parameters"][name]["outputFile"], said)
        for name in task.outputs.parameters
    }
    artifacts = {port: _artifact(task, port, given, said, digests) for port in task.outputs.artifacts}
    return Outputs(parameters=parameters, artifacts=artifacts)


def _parameter(task: Task, name: str, file: str, said: Mapping[str, Any]) -> Any:
    where, kind = f"output `{name}` of task `{task.label}`", task.outputs.parameters[name].type
    value = (said.get("parameterValues") or {}).get(name)
    if value is not None:
        return convert(value, kind, where)
    if not Path(file).is_file():
        raise BadInputError("the task ended well but gave no value", where=where, fix="return one always")
    return parse(Path(file).read_text(encoding="utf-8"), kind, where)


def _artifact(
    task: Task, port: str, given: Mapping[str, Any], said: Mapping[str, Any], digests: Digests
) -> Artifact:
    where, spec = f"output `{port}` of task `{task.label}`", task.outputs.artifacts[port]
    planned = given["outputs"]["artifacts"][port]["artifacts"][0]
    found = ((said.get("artifacts") or {}).get(port, {}).get("artifacts") or [{}])[0]
    uri = str(found.get("uri") or planned["uri"]).removeprefix("file://")
    metadata = found.get("metadata") or {}
    _require_plain(metadata, where)
    if not Path(uri).is_absolute():
        fix = "copy it to this machine and point there"
        raise BadInputError("points to what is not a path on this machine", where=where, value=uri, fix=fix)
    if Path(uri).exists():
        digest = digests.of(Path(uri))
    elif spec.title in _METADATA_ALONE and uri == planned["uri"]:
        digest = ""
    else:
        raise BadInputError("the task ended well but nothing lies there", where=where, value=uri)
    return Artifact(
        port=port, title=spec.title, version=spec.version, uri=uri, metadata=metadata, digest=digest
    )


def _require_plain(metadata: Mapping[str, Any], where: str) -> None:
    fix = "leave the key out; KFP takes neither null nor NaN"
    for key, value in metadata.items():
        try:
            text = json.dumps(value, allow_nan=False)
        except ValueError as error:
            raise BadInputError(f"metadata `{key}` is not finite", where=where, fix=fix) from error
        if text == "null":
            raise BadInputError(f"metadata `{key}` is null", where=where, fix=fix)

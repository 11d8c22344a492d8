"""Importers: an artifact that lies on this machine is taken into the run as it is."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from components.common.errors import BadInputError, ComponentError
from components.common.storage import publishing
from pipelines.local.cache import CachedResult
from pipelines.local.content import Artifact
from pipelines.local.context import RunContext, settle
from pipelines.local.exchange import Inputs, Outputs
from pipelines.local.executors import refused_scheme
from pipelines.local.labels import iteration_label
from pipelines.local.placeholders import fill_all
from pipelines.local.plan import Constant, Importer, Task
from pipelines.local.refusal import FIX


async def import_artifact(
    run: RunContext, task: Task, importer: Importer, parent: int, iteration: tuple[int, ...],
    inputs: Inputs, names: Mapping[str, str],
) -> Outputs | None:  # fmt: skip
    """Take an artifact into the run.

    Args:
        run: The run.
        task: The importer's task.
        importer: What it imports.
        parent: Execution of the graph that it is in.
        iteration: Index in each loop around it.
        inputs: What it takes.
        names: What the placeholders of the job stand for.

    Returns:
        The artifact as its output; None when it cannot be taken.
    """
    label, began = iteration_label(task.label, iteration), time.monotonic()
    if (before := await _finished(run, task, label, parent, inputs)) is not None:
        run.outputs[task.label, iteration] = before
        run.progress.kept(label, before)
        return before
    run.progress.step(label, "started")
    execution = await run.lineage.call("begin_importer", task, parent, inputs)
    try:
        artifact = await asyncio.to_thread(_find, run, task, importer, inputs, names)
    except ComponentError as error:
        await run.lineage.call("end", execution, "FAILED")
        seconds = time.monotonic() - began
        run.progress.step(label, "failed", seconds=seconds, message=str(error), exit_code=error.exit_code)
        return None
    given = Outputs(parameters={}, artifacts={importer.port: artifact})
    result = CachedResult.of(given, run_id=run.run_id, task=label, execution=execution, key="")
    run.finished.store(label, inputs, result)
    ids = await settle(run.lineage.call("end_import", execution, given, importer.reimport))
    outputs = Outputs(parameters={}, artifacts={importer.port: replace(artifact, id=ids[importer.port])})
    run.outputs[task.label, iteration] = outputs
    run.progress.step(label, "succeeded", seconds=time.monotonic() - began)
    return outputs


async def _finished(run: RunContext, task: Task, label: str, parent: int, inputs: Inputs) -> Outputs | None:
    """Return what was imported before the run was gone on with, when it is recorded and as it was."""
    found = run.finished.find(label, inputs)
    if found is None:
        return None
    outputs = found.outputs()
    if await asyncio.to_thread(run.digests.first_change, outputs.artifacts.values()):
        return None
    ids = await run.lineage.call("ended_well", task, parent, None, outputs)
    return None if ids is None else outputs.with_ids(ids)


def _find(
    run: RunContext, task: Task, importer: Importer, inputs: Inputs, names: Mapping[str, str]
) -> Artifact:
    where = f"importer `{task.label}`"
    source = importer.uri
    uri = source.value if isinstance(source, Constant) else inputs.parameters.get(source.name)
    if not isinstance(uri, str) or not uri:
        raise BadInputError("has no address to import", where=where, fix="set the parameter behind it")
    path = Path(uri.removeprefix("file://"))
    if refused_scheme(uri) or not path.is_absolute():
        what = "the embedded runner imports only absolute paths on this machine"
        raise BadInputError(what, where=where, value=uri, fix=FIX)
    if not path.exists():
        raise BadInputError("nothing lies there to import", where=where, value=uri)
    spec = task.outputs.artifacts[importer.port]
    shown = {"inputs": {"parameterValues": inputs.parameters, "artifacts": {}}}
    metadata = fill_all(dict(importer.metadata), shown, where, names)
    return Artifact(
        port=importer.port, title=spec.title, version=spec.version, uri=str(path), metadata=metadata,
        digest=run.digests.of(path), copy=_bring(path, names) if importer.to_workspace else None,
    )  # fmt: skip


def _bring(path: Path, names: Mapping[str, str]) -> str:
    """Copy what is imported to where KFP's importer puts it in the workspace; tasks may change the copy."""
    place = Path(names["workspace_path"], ".artifacts", *path.parts[1:])
    if not place.exists():  # else another importer of this run brought it
        with publishing(place) as draft:
            copy = shutil.copytree if path.is_dir() else shutil.copyfile
            copy(path, draft)
    return str(place)

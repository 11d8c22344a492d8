"""Running the trials of one task and keeping the best model of them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from components.common.artifacts import (
    ModelRecord,
    TransformSummary,
    read_snapshot,
    read_transform,
    split_files,
    write_model_record,
)
from components.common.code import code_digest
from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.common.storage import content_digest, publishing
from components.training.config import TrainingConfig
from components.training.hyperparameters import as_mapping, read_hyperparameters
from components.training.jobs import Job, read_result, run_module, write_job
from components.training.read_module import require_no_build_model
from components.training.records import TrialRecord, rank_records, write_records
from components.training.verify import verify_export


class Inputs(NamedTuple):
    """Folders that a trial is made from, by the name of the task's input."""

    transformed_examples: Path
    transform_graph: Path
    schema: Path
    statistics: Path
    snapshot: Path


class Trained(NamedTuple):
    """Outcome of one task.

    Attributes:
        records: What became of each trial, best first.
        seconds: Wall time of the best trial; 0.0 when all failed.
    """

    records: list[TrialRecord]
    seconds: float

    @property
    def metrics(self) -> dict[str, float]:
        """The best trial's metrics, number and seconds, and how many trials failed."""
        best = self.records[0]
        failed = sum(record.state == "failed" for record in self.records)
        if best.state == "failed":
            return {"failed": failed}
        return {**best.metrics, "trial": best.number, "seconds": round(self.seconds, 3), "failed": failed}


def train_batch(
    batch: Mapping[str, Any], inputs: Inputs, *, model: Path, module: Path | None, config: TrainingConfig
) -> Trained:
    """Run each trial in a process of its own and write the best one's model.

    Args:
        batch: `{trials: [{number, seed, hyperparameters}]}`, from `propose_points`.
        inputs: What they are made from.
        model: Folder to write: `trials.json` and, unless every trial failed, a bare model.
        module: The user's Python file, or None.
        config: Time, threads and rows of the check.

    Returns:
        The records. A failed trial is a result, not an error.

    Raises:
        BadInputError: The batch, an input or the module is malformed.
        ComponentError: The best model's export does not answer as it was trained.
    """
    trials = _read_batch(batch)
    summary = _require_inputs(inputs)
    if module is not None:
        require_no_build_model(module)
    with tempfile.TemporaryDirectory(prefix="trials-") as scratch:
        outcomes = [_run(trial, inputs, Path(scratch), config) for trial in trials]
        records = rank_records([record for record, _ in outcomes], summary.task)
        best = records[0]
        with publishing(model) as draft:
            draft.mkdir()
            if best.state == "complete":
                output = Path(scratch) / str(best.number)
                verify_export(
                    output / "model", output / "check.json", timeout_seconds=config.trial_timeout_seconds
                )
                shutil.copytree(output / "model", draft, dirs_exist_ok=True)
                _complete(draft, inputs, summary, best)
            write_records(draft, summary.task, records)
    seconds = {record.number: seconds for record, seconds in outcomes}
    return Trained(records, seconds[best.number] if best.state == "complete" else 0.0)


def _read_batch(batch: Mapping[str, Any]) -> list[dict[str, Any]]:
    where = "parameter `batch`"
    require_known(batch, ("trials",), where=where)
    listed = whole(batch.get("trials"))
    if not isinstance(listed, list) or not listed:
        raise BadInputError("holds no trials", where=where, value=batch, fix="take it from propose_trials")
    for trial in cast("list[Any]", listed):
        names = ("number", "seed", "hyperparameters")
        if not isinstance(trial, dict) or set(cast("dict[str, Any]", trial)) != set(names):
            raise BadInputError(f"a trial has {', '.join(names)}", where=where, value=trial)
        point = read_hyperparameters(trial["hyperparameters"], where="trial")
        trial["hyperparameters"] = as_mapping(point)
    return cast("list[dict[str, Any]]", listed)


def _require_inputs(inputs: Inputs) -> TransformSummary:
    read_snapshot(inputs.snapshot)
    for split in ("train", "eval"):
        split_files(inputs.transformed_examples, split)
    for file in (inputs.schema / "schema.pbtxt", inputs.statistics / "statistics.pb"):
        if not file.is_file():
            raise BadInputError("file is missing", where=file, fix="run data validation again")
    return read_transform(inputs.transform_graph)


def _run(
    trial: Mapping[str, Any], inputs: Inputs, scratch: Path, config: TrainingConfig
) -> tuple[TrialRecord, float]:
    number, point = trial["number"], trial["hyperparameters"]
    print(f"trial {number}: {point}", flush=True)  # noqa: T201 - a task's log is its standard output
    output = scratch / str(number)
    output.mkdir()
    job = Job(
        seed=trial["seed"], hyperparameters=point,
        transformed_examples=str(inputs.transformed_examples.absolute()),
        transform_graph=str(inputs.transform_graph.absolute()),
        schema=str(inputs.schema.absolute()), statistics=str(inputs.statistics.absolute()),
        threads=config.threads_per_trial, verification_rows=config.verification_rows, output=str(output),
    )  # fmt: skip
    write_job(output / "job.json", job)
    start = time.monotonic()
    status, _ = run_module(
        "components.training.run_trial",
        str(output / "job.json"),
        timeout_seconds=config.trial_timeout_seconds,
    )
    record = _record(number, point, status, read_result(output), config)
    print(f"trial {number}: {record.state} {record.metrics or record.error}", flush=True)  # noqa: T201 - as above
    return record, time.monotonic() - start


def _record(
    number: int,
    point: dict[str, Any],
    status: int | None,
    result: Mapping[str, Any] | None,
    config: TrainingConfig,
) -> TrialRecord:
    error = _error(status, result, config)
    if error is None and result is not None:
        return TrialRecord(
            number=number, state="complete", hyperparameters=point, metrics=result["metrics"]
        )
    return TrialRecord(number=number, state="failed", hyperparameters=point, error=error)


def _error(status: int | None, result: Mapping[str, Any] | None, config: TrainingConfig) -> str | None:
    if status is None:
        return f"took longer than {config.trial_timeout_seconds:g} seconds and was killed"
    if status < 0:
        hint = " (killed: too little memory?)" if status == -9 else ""
        return f"its process was ended by signal {-status}{hint}"
    if result is None or status > 0:
        return f"its process ended with status {status} and without a result"
    return result["error"]


def _complete(folder: Path, inputs: Inputs, summary: TransformSummary, best: TrialRecord) -> None:
    shutil.copyfile(inputs.schema / "schema.pbtxt", folder / "schema.pbtxt")
    shutil.copyfile(inputs.statistics / "statistics.pb", folder / "statistics.pb")
    digests = {
        "snapshot": read_snapshot(inputs.snapshot).version,
        "schema": content_digest(inputs.schema),
        "transform_graph": content_digest(inputs.transform_graph),
        "transformed_examples": content_digest(inputs.transformed_examples),
        "code": code_digest("common", "transform", "training"),
    }
    record = ModelRecord(
        task=summary.task, label=summary.label, classes=summary.classes, trial=best.number,
        hyperparameters=best.hyperparameters, validation=best.metrics, digests=digests,
    )  # fmt: skip
    write_model_record(folder, record)

"""Running the trials of one task and keeping the best model of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from components.common.artifacts import (
    ModelRecord,
    TransformSummary,
    baseline_model,
    model_digest,
    read_snapshot,
    read_transform,
    split_files,
    write_model_record,
)
from components.common.code import code_digest
from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.common.storage import content_digest, file_digest, publishing
from components.training.attempt import attempt_trial
from components.training.check_labels import check_class_weight, check_labels
from components.training.checkpoint import Checkpoints
from components.training.config import TrainingConfig
from components.training.draw_curves import draw_curves
from components.training.hyperparameters import as_mapping, read_hyperparameters
from components.training.jobs import Job
from components.training.read_module import defines_build_model
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
    batch: Mapping[str, Any], inputs: Inputs, *, model: Path, curves: Path, module: Path | None,
    config: TrainingConfig, start: Path | None = None,
) -> Trained:  # fmt: skip
    """Run each trial in a process of its own and write the best one's model.

    Args:
        batch: `{trials: [{number, seed, hyperparameters}]}`, from `propose_points`.
        inputs: What they are made from.
        model: Folder to write: `trials.json` and, unless every trial failed, a bare model.
        curves: HTML file to write: the learning curve of each trial.
        module: The user's Python file, or None.
        config: Time, threads, memory, and how to learn.
        start: Artifact `start`: a model to begin with, or word that there is none.

    Returns:
        The records. A failed trial is a result, not an error.

    Raises:
        BadInputError: The batch, an input, the label or the module is malformed.
        UnavailableError: The accelerator that was asked for is not there, or no checkpoint can be kept.
        ComponentError: The best model's export does not answer as it was trained.
        SystemExit: SIGTERM came; the trial under way has had time to write a checkpoint.
    """
    trials = _read_batch(batch)
    summary = _require_inputs(inputs, config)
    built = module if module is not None and defines_build_model(module) else None
    first = _first_model(start, config)
    digests = _digests(inputs, module, first)
    with tempfile.TemporaryDirectory(prefix="trials-") as scratch:
        jobs = [_job(trial, inputs, built, first, digests, Path(scratch), config) for trial in trials]
        attempts = [
            attempt_trial(trial["number"], job.hyperparameters, job, config)
            for trial, job in zip(trials, jobs, strict=True)
        ]
        records = rank_records([attempt.record for attempt in attempts], summary.task)
        best = records[0]
        with publishing(model) as draft:
            draft.mkdir()
            if best.state == "complete":
                output = Path(scratch) / str(best.number)
                verify_export(
                    output / "model", output / "check.json", timeout_seconds=config.trial_timeout_seconds
                )
                shutil.copytree(output / "model", draft, dirs_exist_ok=True)
                _complete(draft, inputs, summary, best, digests)
            write_records(draft, summary.task, records)
        draw_curves(curves, records, summary.task)
        for job in jobs:
            Checkpoints(job.checkpoints).remove()
    seconds = {attempt.record.number: attempt.seconds for attempt in attempts}
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


def _require_inputs(inputs: Inputs, config: TrainingConfig) -> TransformSummary:
    snapshot = read_snapshot(inputs.snapshot)
    if config.folds and snapshot.split.get("by") == "time":
        what = "folds mix earlier and later rows, which a split by time keeps apart"
        fix = "leave `folds` out, or split by hash"
        raise BadInputError(what, where="parameter `training.folds`", value=config.folds, fix=fix)
    for split in ("train", "eval"):
        split_files(inputs.transformed_examples, split)
    for file in (inputs.schema / "schema.pbtxt", inputs.statistics / "statistics.pb"):
        if not file.is_file():
            raise BadInputError("file is missing", where=file, fix="run data validation again")
    summary = read_transform(inputs.transform_graph)
    check_labels(inputs.transformed_examples, summary)
    check_class_weight(config.class_weight, summary)
    return summary


def _first_model(start: Path | None, config: TrainingConfig) -> Path | None:
    found = baseline_model(start) if config.warm_start and start else None
    if config.warm_start and found is None:
        print("warm start: there is no earlier model, so trials start cold", flush=True)  # noqa: T201 - a task's log
    return found


def _digests(inputs: Inputs, module: Path | None, first: Path | None) -> dict[str, str]:
    digests = {
        "snapshot": read_snapshot(inputs.snapshot).version,
        "schema": content_digest(inputs.schema),
        "transform_graph": content_digest(inputs.transform_graph),
        "transformed_examples": content_digest(inputs.transformed_examples),
        "code": code_digest("common", "transform", "training"),
    }
    if module is not None:
        digests["module"] = file_digest(module)
    if first is not None:
        digests["start"] = model_digest(first)
    return digests


def _job(
    trial: Mapping[str, Any], inputs: Inputs, module: Path | None, first: Path | None,
    digests: Mapping[str, str], scratch: Path, config: TrainingConfig,
) -> Job:  # fmt: skip
    output = scratch / str(trial["number"])
    output.mkdir()
    settings: dict[str, Any] = {
        "seed": trial["seed"], "hyperparameters": trial["hyperparameters"],
        "class_weight": config.class_weight, "folds": config.folds, "threads": config.threads_per_trial,
    }  # fmt: skip
    identity = json.dumps([settings, digests], sort_keys=True)
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return Job(
        **settings, transformed_examples=str(inputs.transformed_examples.absolute()),
        transform_graph=str(inputs.transform_graph.absolute()),
        schema=str(inputs.schema.absolute()), statistics=str(inputs.statistics.absolute()),
        module=None if module is None else str(module.absolute()),
        start=None if first is None else str(first.absolute()),
        accelerator=config.accelerator,
        checkpoints=f"{config.checkpoint_dir or scratch}/checkpoints-{name}",
        checkpoint_seconds=config.checkpoint_seconds, verification_rows=config.verification_rows,
        output=str(output),
    )  # fmt: skip


def _complete(
    folder: Path, inputs: Inputs, summary: TransformSummary, best: TrialRecord, digests: dict[str, str]
) -> None:
    shutil.copyfile(inputs.schema / "schema.pbtxt", folder / "schema.pbtxt")
    shutil.copyfile(inputs.statistics / "statistics.pb", folder / "statistics.pb")
    record = ModelRecord(
        task=summary.task, label=summary.label, classes=summary.classes, trial=best.number,
        hyperparameters=best.hyperparameters, validation=best.metrics, digests=digests,
    )  # fmt: skip
    write_model_record(folder, record)

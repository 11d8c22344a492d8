"""Running the trials of one task and keeping the best model of them."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from components.common.artifacts import (
    ModelRecord,
    TransformSummary,
    baseline_model,
    read_snapshot,
    read_transform,
    split_files,
    write_model_record,
)
from components.common.code import code_digest
from components.common.errors import BadInputError
from components.common.seal import model_digest
from components.common.storage import content_digest, file_digest, publishing
from components.common.task_log import log_line
from components.training.attempt import Attempt, attempt_trial
from components.training.check_labels import check_class_weight, check_labels
from components.training.checkpoint import Checkpoints
from components.training.config import TrainingConfig
from components.training.draw_curves import draw_curves
from components.training.jobs import Job
from components.training.objectives import COSTS, Rule, read_rule
from components.training.rank_records import rank_records
from components.training.read_batch import Batch, read_batch
from components.training.read_module import defines_build_model
from components.training.records import TrialRecord, write_records
from components.training.stop_early import limits_of
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
        if best.state != "complete":
            return {"failed": failed}
        return {**best.metrics, "trial": best.number, "seconds": round(self.seconds, 3), "failed": failed}


def train_batch(
    batch: Mapping[str, Any], inputs: Inputs, *, model: Path, curves: Path, module: Path | None,
    config: TrainingConfig, start: Path | None = None,
) -> Trained:  # fmt: skip
    """Run each trial in a process of its own and write the best one's model.

    Args:
        batch: From `propose_points` or `propose_next`.
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
    asked = read_batch(batch)
    summary = _require_inputs(inputs, config)
    rule = read_rule(summary.task, config)
    built = module if module is not None and defines_build_model(module) else None
    with tempfile.TemporaryDirectory(prefix="trials-") as scratch:
        shared = _Shared(inputs, built, start, _digests(inputs, module), Path(scratch), rule, config)
        attempts, jobs = _attempt_all(asked, shared)
        records = rank_records([attempt.record for attempt in attempts], rule)
        best = records[0]
        with publishing(model) as draft:
            draft.mkdir()
            if best.state == "complete":
                output = Path(scratch) / str(best.number)
                twin = verify_export(
                    output / "model", output / "check.json", timeout_seconds=config.trial_timeout_seconds
                )
                shutil.copytree(output / "model", draft, dirs_exist_ok=True)
                _complete(draft, inputs, summary, best, _own_digests(shared, best.parent), twin)
            write_records(draft, summary.task, records)
        draw_curves(curves, records, summary.task)
        for job in jobs:
            Checkpoints(job.checkpoints).remove()
    seconds = {attempt.record.number: attempt.seconds for attempt in attempts}
    return Trained(records, seconds[best.number] if best.state == "complete" else 0.0)


class _Shared(NamedTuple):
    """What all trials of the task have in common."""

    inputs: Inputs
    module: Path | None
    start: Path | None
    digests: dict[str, str]
    scratch: Path
    rule: Rule
    config: TrainingConfig


def _attempt_all(asked: Batch, shared: _Shared) -> tuple[list[Attempt], list[Job]]:
    """Attempt the trials, and a spare one for each that fails while there is one."""
    waiting, spares = list(asked.trials), list(asked.spares)
    attempts: list[Attempt] = []
    jobs: list[Job] = []
    while waiting:
        trial = waiting.pop(0)
        limits = asked.limits
        if shared.config.stop_hopeless and not limits:
            limits = limits_of([attempt.record for attempt in attempts])
        jobs.append(_job(trial, shared, limits))
        attempt = attempt_trial(trial["number"], jobs[-1].hyperparameters, jobs[-1], shared.config)
        record = replace(
            _require_metrics(attempt.record, shared.rule), round=asked.round, parent=trial.get("parent")
        )
        attempts.append(Attempt(record, attempt.seconds))
        if record.state == "failed" and spares:
            waiting.append(spares.pop(0))
            log_line(f"trial {record.number} is replaced by trial {waiting[-1]['number']}")
    return attempts, jobs


def _require_metrics(record: TrialRecord, rule: Rule) -> TrialRecord:
    """Turn a trial that does not report what is asked into a failed one."""
    if record.state != "complete":
        return record
    for name in rule.needed:
        value = record.metrics.get(name)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            error = f"metric `{name}` is {'missing' if value is None else f'{value}, no number'}"
            return replace(record, state="failed", metrics={}, error=error)
    return record


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


def _first_model(shared: _Shared, parent: int | None) -> Path | None:
    """Return what a trial begins with: its parent's model, else the baseline when that is asked for."""
    start = shared.start
    if parent is not None:
        kept = None if start is None else start / "trials" / str(parent)
        return kept if kept is not None and kept.is_dir() else None
    return baseline_model(start) if shared.config.warm_start and start else None


def _own_digests(shared: _Shared, parent: int | None) -> dict[str, str]:
    first = _first_model(shared, parent)
    return shared.digests if first is None else {**shared.digests, "start": model_digest(first)}


def _digests(inputs: Inputs, module: Path | None) -> dict[str, str]:
    digests = {
        "snapshot": read_snapshot(inputs.snapshot).version,
        "schema": content_digest(inputs.schema),
        "transform_graph": content_digest(inputs.transform_graph),
        "transformed_examples": content_digest(inputs.transformed_examples),
        "code": code_digest("common", "transform", "training"),
    }
    if module is not None:
        digests["module"] = file_digest(module)
    return digests


def _job(trial: Mapping[str, Any], shared: _Shared, limits: list[float]) -> Job:
    inputs, config, parent = shared.inputs, shared.config, trial.get("parent")
    output = shared.scratch / str(trial["number"])
    output.mkdir()
    first = _first_model(shared, parent)
    if first is None and (config.warm_start or parent is not None):
        log_line("warm start: there is no earlier model, so this trial starts cold")
    settings: dict[str, Any] = {
        "seed": trial["seed"], "hyperparameters": trial["hyperparameters"],
        "class_weight": config.class_weight, "folds": config.folds, "threads": config.threads_per_trial,
        "limits": limits,
    }  # fmt: skip
    identity = json.dumps([settings, _own_digests(shared, parent)], sort_keys=True)
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return Job(
        **settings, transformed_examples=str(inputs.transformed_examples.absolute()),
        transform_graph=str(inputs.transform_graph.absolute()),
        schema=str(inputs.schema.absolute()), statistics=str(inputs.statistics.absolute()),
        module=None if shared.module is None else str(shared.module.absolute()),
        start=None if first is None else str(first.absolute()), accelerator=config.accelerator,
        checkpoints=f"{config.checkpoint_dir or shared.scratch}/checkpoints-{name}",
        checkpoint_seconds=config.checkpoint_seconds, verification_rows=config.verification_rows,
        output=str(output), costs=[name for name in shared.rule.needed if name in COSTS],
    )  # fmt: skip


def _complete(
    folder: Path,
    inputs: Inputs,
    summary: TransformSummary,
    best: TrialRecord,
    digests: dict[str, str],
    twin: dict[str, Any],
) -> None:
    shutil.copyfile(inputs.schema / "schema.pbtxt", folder / "schema.pbtxt")
    shutil.copyfile(inputs.statistics / "statistics.pb", folder / "statistics.pb")
    record = ModelRecord(
        task=summary.task, label=summary.label, classes=summary.classes, trial=best.number,
        hyperparameters=best.hyperparameters, validation=best.metrics, digests=digests,
        twin=twin,
    )  # fmt: skip
    write_model_record(folder, record)

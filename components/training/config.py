"""Knobs of training, checked when built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ClassWeight = str | Mapping[str, float] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """How trials are run and how the best one is chosen.

    Attributes:
        class_weight: `balanced`, or a weight by label value (others 1), in the loss; unset: none. It
            moves probabilities away from shares.
        folds: Parts of the train and eval rows for cross-validation, whose mean then ranks the trial;
            unset: none. Count, at least 2.
        warm_start: Begin with the weights of the baseline model, where they fit.
        accelerator: `gpu` must be there; `none` asks for nothing, and a GPU that is there is used.
        trial_timeout_seconds: Longest a trial may take, imports and export included; then it is killed
            and counts as failed. Above 0.
        threads_per_trial: Threads TensorFlow computes with in one trial. Count, at least 1. Trials of one
            machine run side by side, so few are best.
        memory_limit_mib: Most memory a trial may take before it is ended; unset: what the container's
            limit leaves. Above 0.
        checkpoint_dir: Path or address of a folder that outlasts the task, for checkpoints; unset: they
            last as long as the task.
        checkpoint_seconds: Seconds between checkpoints. At least 0.
        verification_rows: Rows on which the exported model must agree with the trained one. Count, at
            least 1.
        min_successful: Fewest complete trials to choose from. Count, at least 1.
        max_replacements: Failed trials of a task that are replaced by another point. Count, at least 0.
        halving: With more than one round, each later one goes on with the best `1 / halving` of the
            trials and `halving` times the epochs; unset: later rounds draw new points. Count, at least 2.
        stop_hopeless: End a trial whose lowest eval loss is above the median of trials before it.
        reference: Whether scikit-learn's gradient boosting stands in the leaderboard, not deployable.
        objectives: One or two metrics that rank trials, see `Rule`; empty: the task's own.
        tolerance: Share of the best first objective that may be given up for the second. In [0, 1).
        constraints: By metric `{min}`, `{max}` or both, which the best trial must keep.
    """

    class_weight: ClassWeight = None
    folds: int | None = None
    warm_start: bool = False
    accelerator: str = "none"
    trial_timeout_seconds: float = 3_600.0
    threads_per_trial: int = 1
    memory_limit_mib: float | None = None
    checkpoint_dir: str | None = None
    checkpoint_seconds: float = 30.0
    verification_rows: int = 200
    min_successful: int = 1
    max_replacements: int = 1
    halving: int | None = None
    stop_hopeless: bool = False
    reference: bool = True
    objectives: list[str] = field(default_factory=list[str])
    tolerance: float = 0.01
    constraints: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])

    def __post_init__(self) -> None:
        """Reject impossible knobs at once, naming the value."""
        _check_class_weight(self.class_weight)
        if self.accelerator not in ("none", "gpu"):
            raise ValueError(f"`accelerator` must be none or gpu, but got {self.accelerator=}.")
        if not _is_address(self.checkpoint_dir):
            raise ValueError(
                f"`checkpoint_dir` must be a path or an address, but got {self.checkpoint_dir=}."
            )
        if self.folds is not None and not _is_count(self.folds, 2):
            raise ValueError(f"`folds >= 2` must hold for a whole number, but got {self.folds=}.")
        if self.memory_limit_mib is not None and not _is_positive(self.memory_limit_mib):
            raise ValueError(f"`memory_limit_mib > 0` must hold, but got {self.memory_limit_mib=}.")
        if not self.checkpoint_seconds >= 0:
            raise ValueError(f"`checkpoint_seconds >= 0` must hold, but got {self.checkpoint_seconds=}.")
        if not self.trial_timeout_seconds > 0:
            raise ValueError(
                f"`trial_timeout_seconds > 0` must hold, but got {self.trial_timeout_seconds=}."
            )
        if self.threads_per_trial < 1:
            raise ValueError(f"`threads_per_trial >= 1` must hold, but got {self.threads_per_trial=}.")
        if self.verification_rows < 1:
            raise ValueError(f"`verification_rows >= 1` must hold, but got {self.verification_rows=}.")
        if self.min_successful < 1:
            raise ValueError(f"`min_successful >= 1` must hold, but got {self.min_successful=}.")
        if self.max_replacements < 0:
            raise ValueError(f"`max_replacements >= 0` must hold, but got {self.max_replacements=}.")
        if self.halving is not None and not _is_count(self.halving, 2):
            raise ValueError(f"`halving >= 2` must hold for a whole number, but got {self.halving=}.")
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"`0 <= tolerance < 1` must hold, but got {self.tolerance=}.")
        if self.stop_hopeless and self.folds:
            raise ValueError("`stop_hopeless` needs one curve a trial: leave out it or `folds`.")
        _check_objectives(self.objectives)
        _check_constraints(self.constraints)


def _check_class_weight(value: Any) -> None:
    if value is None or value == "balanced":
        return
    if not isinstance(value, Mapping) or not value or not all(map(_is_positive, value.values())):
        told = "`class_weight` must be balanced, or a mapping of label values to weights above 0"
        raise ValueError(f"{told}, but got class_weight={value!r}.")


def _check_objectives(value: Any) -> None:
    if not isinstance(value, list) or len(value) > 2 or len(set(map(str, value))) < len(value):
        raise ValueError(
            f"`objectives` must be at most two different metrics, but got objectives={value!r}."
        )


def _check_constraints(value: Any) -> None:
    told = "`constraints` must map metrics to {min}, {max} or both, numbers"
    if not isinstance(value, Mapping):
        raise ValueError(f"{told}, but got constraints={value!r}.")
    for bounds in value.values():
        if not isinstance(bounds, Mapping) or not bounds or not set(bounds) <= {"min", "max"}:
            raise ValueError(f"{told}, but got constraints={value!r}.")
        if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in bounds.values()):
            raise ValueError(f"{told}, but got constraints={value!r}.")


def _is_address(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "")


def _is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")


def _is_count(value: Any, least: int) -> bool:
    return _is_positive(value) and value >= least and float(value).is_integer()

"""Reading the batch of a task: KFP carries its numbers as doubles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.training.hyperparameters import as_mapping, read_hyperparameters


class Batch(NamedTuple):
    """See `propose_points`.

    Attributes:
        trials: `{number, seed, hyperparameters}`, defaults filled in, and `parent` where there is one.
        spares: The same; they take the place of trials that fail.
        round: From 0.
        limits: By epoch, the eval loss above which a trial is hopeless; empty: found among the trials.
    """

    trials: list[dict[str, Any]]
    spares: list[dict[str, Any]]
    round: int
    limits: list[float]


def read_batch(batch: Mapping[str, Any]) -> Batch:
    """Read what a task was asked to train.

    Raises:
        BadInputError: It is malformed, or a hyperparameter is unknown or out of its bounds.
    """
    where = "parameter `batch`"
    require_known(batch, Batch._fields, where=where)
    trials = _read_trials(batch.get("trials"), where)
    if not trials:
        raise BadInputError("holds no trials", where=where, value=batch, fix="take it from propose_trials")
    limits = [float(limit) for limit in batch.get("limits", [])]
    return Batch(trials, _read_trials(batch.get("spares", []), where), whole(batch.get("round", 0)), limits)


def _read_trials(listed: Any, where: str) -> list[dict[str, Any]]:
    trials: list[dict[str, Any]] = []
    names = {"number", "seed", "hyperparameters"}
    for trial in cast("list[Any]", whole(listed) if isinstance(listed, list) else []):
        if not isinstance(trial, dict) or set(cast("dict[str, Any]", trial)) - {"parent"} != names:
            raise BadInputError("a trial has number, seed, hyperparameters", where=where, value=trial)
        point = read_hyperparameters(trial["hyperparameters"], where="trial")
        trials.append({**cast("dict[str, Any]", trial), "hyperparameters": as_mapping(point)})
    return trials

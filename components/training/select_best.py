"""Choosing the best model of all tasks and writing the leaderboard."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from components.common.documents import write_document
from components.common.errors import BadInputError
from components.common.storage import publishing
from components.training.config import TrainingConfig
from components.training.draw_leaderboard import draw_leaderboard
from components.training.gather import find_models, gather_records
from components.training.objectives import Rule, read_rule
from components.training.rank_records import broken_bounds, is_eligible, pareto_numbers, rank_records
from components.training.records import TrialRecord
from components.training.weigh_hyperparameters import weigh_hyperparameters


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """`leaderboard.json`.

    Attributes:
        objective: Metric on the eval split that ranks.
        direction: `maximise` or `minimise`.
        objectives: `{metric, direction}`, one or two; the first is `objective`.
        tolerance: Share of the best first objective that may be given up for the second.
        constraints: By metric `{min}`, `{max}` or both.
        pareto: Numbers of the trials that no other one dominates.
        best: Number of the trial that was chosen.
        importance: Share of the first objective that each hyperparameter explains, see
            `weigh_hyperparameters`.
        reference: Metrics of scikit-learn's gradient boosting, not deployable; None when it was not fitted.
        rows: Fields of `TrialRecord`, best first, failed ones last; `broken` lists constraints it breaks.
    """

    objective: str
    direction: str
    objectives: list[dict[str, str]]
    tolerance: float
    constraints: dict[str, Any]
    pareto: list[int]
    best: int
    importance: dict[str, float]
    reference: dict[str, float] | None
    rows: list[dict[str, Any]]


class Best(NamedTuple):
    """The winner.

    Attributes:
        trial: Its number.
        objective: Name of the metric that ranked it.
        value: Its value on the eval split.
        complete: Trials that came to an end.
        failed: Trials that did not.
        stopped: Trials that were ended as hopeless.
    """

    trial: int
    objective: str
    value: float
    complete: int
    failed: int
    stopped: int


def select_best_model(
    models: Sequence[Path], *, best_model: Path, leaderboard: Path, report: Path, config: TrainingConfig,
    reference: dict[str, float] | None = None,
) -> Best:  # fmt: skip
    """Rank all trials and copy the winner.

    Args:
        models: Output `model` of each task, and `history` of earlier rounds: `trials.json`, and the best
            model of those trials unless none is complete.
        best_model: Folder to write: the winner without `trials.json`.
        leaderboard: Folder to write: `leaderboard.json`.
        report: HTML file to write: the leaderboard for people.
        config: How many trials must be complete, and what is best.
        reference: Metrics of the reference, from `fit_reference`.

    Raises:
        BadInputError: Fewer than `min_successful` trials are complete (the first errors are named), none
            keeps the constraints, or a task's folder is malformed.
    """
    task, records = gather_records(models)
    rule = read_rule(task, config)
    ranked = rank_records(records, rule)
    _require_complete(ranked, rule, config)
    winner, folder = _winner(ranked, rule, find_models(models))
    board = make_board(ranked, rule, best=winner.number, reference=reference)
    with publishing(best_model) as model_draft, publishing(leaderboard) as draft:
        shutil.copytree(folder, model_draft, ignore=shutil.ignore_patterns("trials.json"))
        draft.mkdir()
        write_document(draft / "leaderboard.json", board)
    broken = {row["number"]: row["broken"] for row in board.rows}
    draw_leaderboard(
        report, ranked, rule, best=winner.number, pareto=board.pareto, broken=broken,
        importance=board.importance, reference=reference,
    )  # fmt: skip
    states = Counter(record.state for record in records)
    value = winner.metrics[board.objective]
    return Best(
        winner.number, board.objective, value, states["complete"], states["failed"], states["stopped"]
    )


def make_board(
    ranked: Sequence[TrialRecord], rule: Rule, *, best: int, reference: dict[str, float] | None
) -> Leaderboard:
    """Return the leaderboard of ranked trials."""
    objectives = [{"metric": one.metric, "direction": one.direction} for one in rule.objectives]
    rows = [
        {**asdict(one), "broken": broken_bounds(one, rule) if one.state == "complete" else []}
        for one in ranked
    ]
    return Leaderboard(
        objective=rule.objectives[0].metric, direction=rule.objectives[0].direction, objectives=objectives,
        tolerance=rule.tolerance, constraints={name: dict(one) for name, one in rule.constraints.items()},
        pareto=pareto_numbers(ranked, rule), best=best, rows=rows, reference=reference,
        importance=weigh_hyperparameters(ranked, rule),
    )  # fmt: skip


def _require_complete(ranked: Sequence[TrialRecord], rule: Rule, config: TrainingConfig) -> None:
    complete = [record for record in ranked if record.state == "complete"]
    if len(complete) < config.min_successful:
        failed = [record for record in ranked if record.state == "failed"]
        errors = "; ".join(f"trial {record.number}: {record.error}" for record in failed[:3])
        what = f"{len(complete)} of {len(ranked)} trials are complete"
        raise BadInputError(what, where="search", value=errors, fix=f"{config.min_successful} are needed")
    if not is_eligible(ranked[0], rule):
        told = "; ".join(
            f"trial {one.number}: {', '.join(broken_bounds(one, rule))}" for one in complete[:3]
        )
        fix = "widen `training.constraints`, or the search space"
        raise BadInputError("no trial keeps the constraints", where="search", value=told, fix=fix)


def _winner(
    ranked: Sequence[TrialRecord], rule: Rule, kept: Mapping[int, Path]
) -> tuple[TrialRecord, Path]:
    """Return the best of the trials whose model their task has kept: the best of each."""
    candidates = [record for record in ranked if record.number in kept and is_eligible(record, rule)]
    if not candidates:
        raise BadInputError(
            "no task kept a model of its best trial", where="models", value=ranked[0].number
        )
    best = rank_records(candidates, rule)[0]
    return best, kept[best.number]

"""Proposing trials: points of the search space, in batches of one task each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.common.errors import BadInputError
from components.training.draw_points import Direction, Told, draw_points
from components.training.hyperparameters import BOUNDS
from components.training.objectives import Rule
from components.training.rank_records import is_eligible, rank_records
from components.training.records import TrialRecord
from components.training.search import Search
from components.training.stop_early import limits_of


def propose_points(search: Search) -> list[dict[str, Any]]:
    """Draw the trials of the first round. The same search gives the same trials.

    Returns:
        Batches `{round, trials: [{number, seed, hyperparameters}], spares: …}`, defaults filled in;
        `spares` take the place of trials that fail. With halving, epochs are those of the first round.
    """
    points = draw_points(search.space, search.reserved(0), sampler=search.sampler, seed=search.seed)
    if search.halving:
        share = search.halving ** (search.rounds - 1)
        points = [{**point, "epochs": max(1, round(point["epochs"] / share))} for point in points]
    return _batches(search, 0, [{"hyperparameters": point} for point in points])


def propose_next(
    search: Search, place: int, records: Sequence[TrialRecord], rule: Rule, *, stop_hopeless: bool = False
) -> list[dict[str, Any]]:
    """Return the trials of a later round, which knows what became of all before.

    Args:
        search: What is searched.
        place: The round, from 1.
        records: Of all trials of the rounds before.
        rule: What is best.
        stop_hopeless: Whether batches tell `limits`, see `TrainingConfig`.

    Returns:
        Batches as those of `propose_points`. With halving, the best trials of the round before go on: each
        one's `parent` is the number it had, spares are those that rank next.

    Raises:
        BadInputError: No trial is complete to go on from, or the grid has no point left.
    """
    if search.halving:
        points = _promote(search, place, records, rule)
    else:
        points = _draw(search, place, records, rule)
    batches = _batches(search, place, points)
    limits = limits_of(records) if stop_hopeless else []
    return [{**batch, "limits": limits} for batch in batches] if limits else batches


def _promote(
    search: Search, place: int, records: Sequence[TrialRecord], rule: Rule
) -> list[dict[str, Any]]:
    ended = [record for record in rank_records(records, rule) if record.state == "complete"]
    if not ended:
        errors = "; ".join(f"trial {one.number}: {one.error}" for one in records[:3])
        raise BadInputError("no trial is complete to go on from", where=f"round {place}", value=errors)
    candidates = [record for record in ended if record.round == place - 1] or ended
    most = int(BOUNDS["epochs"][1])

    def longer(point: dict[str, Any]) -> dict[str, Any]:
        return {**point, "epochs": min(most, int(point["epochs"]) * (search.halving or 1))}

    return [
        {"hyperparameters": longer(record.hyperparameters), "parent": record.number}
        for record in candidates[: search.reserved(place)]
    ]


def _draw(search: Search, place: int, records: Sequence[TrialRecord], rule: Rule) -> list[dict[str, Any]]:
    directions: list[Direction] = ["maximize" if one.maximise else "minimize" for one in rule.objectives]
    told = [
        Told(record.hyperparameters, _values(record, rule))
        for record in sorted(records, key=lambda record: record.number)
    ]
    start = search.first(place)
    points = draw_points(
        search.space, start + search.reserved(place), sampler=search.sampler, seed=search.seed, start=start,
        told=told, directions=directions,
    )  # fmt: skip
    if not points:
        fix = "ask for fewer rounds or `max_replacements`, or widen the space"
        raise BadInputError("the grid has no point left", where=f"round {place}", fix=fix)
    return [{"hyperparameters": point} for point in points]


def _values(record: TrialRecord, rule: Rule) -> list[float] | None:
    return [record.metrics[one.metric] for one in rule.objectives] if is_eligible(record, rule) else None


def _batches(search: Search, place: int, points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    first, size, spare = search.first(place), search.trials_per_task, search.replacements
    listed = [
        {"number": number, "seed": search.seed + number, **point}
        for number, point in enumerate(points, start=first)
    ]
    trials, spares = listed[: search.count(place)], listed[search.count(place) :]
    batches: list[dict[str, Any]] = []
    for task, start in enumerate(range(0, len(trials), size)):
        batch = {"round": place, "trials": trials[start : start + size]}
        mine = spares[task * spare : (task + 1) * spare]
        batches.append({**batch, "spares": mine} if mine else batch)
    return batches

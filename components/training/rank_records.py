"""Ranking trials: by one objective, or by the rule for two."""

from __future__ import annotations

from collections.abc import Sequence

from components.training.objectives import Rule
from components.training.records import TrialRecord


def rank_records(records: Sequence[TrialRecord], rule: Rule) -> list[TrialRecord]:
    """Return complete trials that keep the constraints, then those that do not, then all others.

    Within each kind the first objective decides, then the log loss where trials have one (on few rows many
    have an AUC of 1), then the number. With two objectives the best trial
    stands ahead of that order: of the trials whose first objective is within `tolerance` of the best one,
    that with the best second objective. No trial is better than it in both, so it is of the Pareto set.
    """

    def key(record: TrialRecord) -> tuple[int, float, float, int]:
        if record.state != "complete":
            return 2, 0.0, 0.0, record.number
        return (
            int(bool(broken_bounds(record, rule))),
            rule.objectives[0].loss(record.metrics),
            record.metrics.get("log_loss", 0.0),
            record.number,
        )

    ranked = sorted(records, key=key)
    if len(rule.objectives) > 1 and ranked:
        best = _compromise([record for record in ranked if is_eligible(record, rule)], rule)
        ranked = [*best, *(record for record in ranked if record not in best)]
    return ranked


def is_eligible(record: TrialRecord, rule: Rule) -> bool:
    """Tell whether a trial is complete and keeps the constraints."""
    return record.state == "complete" and not broken_bounds(record, rule)


def broken_bounds(record: TrialRecord, rule: Rule) -> list[str]:
    """Return the constraints that a complete trial breaks, such as `latency_ms 4.1 > 3`."""
    broken: list[str] = []
    for name, bounds in rule.constraints.items():
        value = record.metrics[name]
        if value < bounds.get("min", value):
            broken.append(f"{name} {value:.4g} < {bounds['min']:g}")
        if value > bounds.get("max", value):
            broken.append(f"{name} {value:.4g} > {bounds['max']:g}")
    return broken


def pareto_numbers(records: Sequence[TrialRecord], rule: Rule) -> list[int]:
    """Return the numbers of eligible trials that no other one dominates."""
    losses = {
        record.number: [one.loss(record.metrics) for one in rule.objectives]
        for record in records
        if is_eligible(record, rule)
    }

    def beaten(mine: list[float]) -> bool:
        return any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True))
            for other in losses.values()
        )

    return sorted(number for number, mine in losses.items() if not beaten(mine))


def _compromise(eligible: Sequence[TrialRecord], rule: Rule) -> list[TrialRecord]:
    if not eligible:
        return []
    first, second = rule.objectives
    best = first.loss(eligible[0].metrics)
    near = [one for one in eligible if first.loss(one.metrics) <= best + rule.tolerance * abs(best)]
    return [min(near, key=lambda one: (second.loss(one.metrics), first.loss(one.metrics), one.number))]

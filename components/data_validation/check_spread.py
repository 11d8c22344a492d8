"""Are the values spread as before, and alike in every split? And does the calendar move on?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from components.data_validation.check_policy import find_outside
from components.data_validation.check_values import is_one_of
from components.data_validation.compare import Distance, measure_distance
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch, is_categorical
from components.data_validation.find_calendar import CalendarPart, has_gap, whole_numbers
from components.data_validation.illustrate import show_row
from components.data_validation.look_up import known_features, split_features, train_features, value_counts
from components.data_validation.messages import FeatureStatistics, Statistics
from components.data_validation.read import Baseline
from components.data_validation.rules import Finding

_FEWEST_EXPECTED = 20  # rows; fewer may be gone by chance


def measure_drift(batch: Batch, baseline: Baseline, exempt: Collection[str]) -> dict[str, Distance]:
    """Return how far the train split of each comparable column is from the baseline's."""
    known = known_features(batch, train_features(baseline.statistics))
    found = {
        name: measure_distance(batch, "train", name, before) for name, before in known if name not in exempt
    }
    return {name: distance for name, distance in found.items() if distance}


def check_drift(
    batch: Batch, baseline: Baseline, drift: Mapping[str, Distance], config: ValidationConfig
) -> Iterator[Finding]:
    """Yield columns whose train split is spread differently than the baseline's."""
    before, now = train_features(baseline.statistics), train_features(batch.statistics)
    for name, distance in drift.items():
        if distance.value > (allowed := allowed_distance(name, distance, config, config.max_drift)):
            message = f"column `{name}` drifted from the baseline: {_distance(distance, allowed)}"
            example = _show_change(distance, before[name], now[name], "in the baseline", "now")
            yield Finding(rule="drift", feature=name, split="train", value=distance.value,
                          threshold=allowed, message=message, example=example)  # fmt: skip


def allowed_distance(name: str, distance: Distance, config: ValidationConfig, bound: float) -> float:
    """Return the column's own bound, else the table's, with what sampling alone explains added."""
    own = config.column(name).max_drift
    return (bound if own is None else own) + distance.noise


def check_skew(batch: Batch, exempt: Collection[str], config: ValidationConfig) -> Iterator[Finding]:
    """Yield columns whose eval or test split is spread differently than the train split."""
    train = train_features(batch.statistics)
    for split in (split for split in batch.tables if split != "train"):
        here = split_features(batch.statistics, split)
        for name in (name for name in train if name not in exempt):
            distance = measure_distance(batch, split, name, train[name])
            if distance is None:
                continue
            if distance.value > (allowed := allowed_distance(name, distance, config, config.max_skew)):
                message = f"column `{name}` of {split} differs from train: {_distance(distance, allowed)}"
                example = _show_change(distance, train[name], here[name], "in train", f"in {split}")
                yield Finding(rule="skew", feature=name, split=split, value=distance.value,
                              threshold=allowed, message=message, example=example)  # fmt: skip


def _distance(distance: Distance, allowed: float) -> str:
    at = f" (value `{distance.at}`)" if distance.at is not None else ""
    return f"{distance.measure} {distance.value:.2g}{at}, allowed {allowed:.2g}"


def _show_change(
    distance: Distance, before: FeatureStatistics, now: FeatureStatistics, first: str, second: str
) -> str:
    if distance.at is not None:
        shares = [_share(each, distance.at) for each in (before, now)]
        return f"`{distance.at}`: {shares[0]:.1%} {first}, {shares[1]:.1%} {second}"
    medians = [each.num_stats.median for each in (before, now)]
    return f"median: {medians[0]:g} {first}, {medians[1]:g} {second}"


def _share(feature: FeatureStatistics, value: str) -> float:
    if feature.HasField("num_stats"):
        present = feature.num_stats.common_stats.num_non_missing
        false = feature.num_stats.num_zeros / present
        return 1 - false if value == "true" else false
    present = feature.string_stats.common_stats.num_non_missing
    return value_counts(feature).get(value, 0.0) / present


def check_vanished_values(
    batch: Batch, baseline: Baseline, exempt: Collection[str], config: ValidationConfig
) -> Iterator[Finding]:
    """Yield texts that stood in many of the baseline's rows and stand in none of this train split.

    Many: more than `config.max_vanished_share` of the rows, and twenty rows of a batch of this size.
    """
    now = train_features(batch.statistics)
    for name, before in known_features(batch, train_features(baseline.statistics)):
        counts, was = batch.counts["train"][name], value_counts(before)
        rows = sum(was.values())
        if not was or name in exempt or not is_categorical(counts.distinct, counts.present):
            continue
        fewest = max(config.max_vanished_share, _FEWEST_EXPECTED / counts.present) * rows
        here = value_counts(now[name])
        for value, count in was.items():
            if count > fewest and value not in here:
                message = (
                    f"column `{name}` has lost its value `{value}`, {count / rows:.1%} of the baseline"
                )
                example = f"`{value}`: {count:,.0f} rows in the baseline, none now"
                yield Finding(rule="value_vanished", feature=name, split="train", value=count / rows,
                              threshold=fewest / rows, message=message, example=example)  # fmt: skip


def check_calendar(
    batch: Batch, baseline: Baseline | None, calendar: Mapping[str, CalendarPart], config: ValidationConfig
) -> Iterator[Finding]:
    """Yield parts of dates that no date has, and periods that are missing since the baseline."""
    for name, part in calendar.items():
        policy = config.column(name)
        if policy.may_drift is False:
            continue
        if policy.min is None and policy.max is None:
            yield from find_outside(batch, name, part.low, part.high, "the calendar")
        if baseline:
            yield from _check_gap(batch, baseline, name, part)


def _check_gap(batch: Batch, baseline: Baseline, name: str, part: CalendarPart) -> Iterator[Finding]:
    seen = (_seen(statistics, name) for statistics in (baseline.statistics, batch.statistics))
    before, now = ({number for number in each if part.low <= number <= part.high} for each in seen)
    if has_gap(part, before, now):
        new = sorted(now - before)
        fix = "data are missing, or the column is wrong; if all is well, set"
        lowered = f"`validation.columns.{name}.severities: {{calendar_gap: off}}`"
        spans = f"from {_span(before)} in the baseline to {_span(now)}"
        message = f"column `{name}` jumps {spans} — {fix} {lowered}"
        rows = is_one_of(batch.column("train", name), new) if new else np.array([False])
        yield Finding(rule="calendar_gap", feature=name, value=_span(now), threshold=_span(before),
                      message=message, example=show_row(batch, "train", rows, name))  # fmt: skip


def _seen(statistics: Statistics, name: str) -> set[int]:
    splits = (split_features(statistics, dataset.name) for dataset in statistics.datasets)
    return {number for features in splits if name in features for number in whole_numbers(features[name])}


def _span(numbers: Collection[int]) -> str:
    return f"{min(numbers)}" if len(numbers) == 1 else f"{min(numbers)} to {max(numbers)}"

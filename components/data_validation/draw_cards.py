"""What the page shows of each column: a picture over all splits and the baseline, and a few numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from components.common.artifacts import Kind
from components.data_validation.describe import RANKED_VALUES
from components.data_validation.draw import Bucket, Picture, draw_histogram, draw_shares
from components.data_validation.look_up import missing_share, split_features, train_features, value_counts
from components.data_validation.messages import FeatureStatistics, Histogram
from components.data_validation.outcome import Validation

BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What the page shows of one column.

    Attributes:
        name: Column.
        kind: Its kind.
        severity: Gravest severity of its findings, or None.
        whose: Heads of the columns of numbers: the splits, and `baseline`.
        numbers: Name and a text for each of `whose`.
        picture: How its values are spread, or None when there is nothing to draw.
        notes: Lines for people, such as why it is not compared.
    """

    name: str
    kind: str
    severity: str | None
    whose: list[str]
    numbers: list[tuple[str, list[str]]]
    picture: Picture | None
    notes: list[str]


def make_cards(validation: Validation) -> list[Card]:
    """Make a card of each column, in order."""
    worst: dict[str | None, str] = {}
    for finding, severity in validation.findings:
        worst.setdefault(finding.feature, severity)
    sources = _sources(validation)
    cards: list[Card] = []
    for name in validation.batch.columns:
        features = {whose: each[name] for whose, each in sources.items() if name in each}
        cards.append(_card(validation, name, features, worst.get(name)))
    return cards


def _sources(validation: Validation) -> dict[str, dict[str, FeatureStatistics]]:
    batch, baseline = validation.batch, validation.baseline
    found = {split: split_features(batch.statistics, split) for split in batch.tables}
    if baseline:
        earlier, now = train_features(baseline.statistics), found["train"]
        same = {
            name: feature for name, feature in earlier.items()
            if name in now and feature.WhichOneof("stats") == now[name].WhichOneof("stats")
        }  # fmt: skip
        found[BASELINE] = same
    return found


def _card(
    validation: Validation, name: str, features: Mapping[str, FeatureStatistics], severity: str | None
) -> Card:
    kind, batch = validation.batch.columns[name], validation.batch
    numbers = [("missing", [f"{missing_share(each):.1%}" for each in features.values()]),
               ("distinct", [_distinct(validation, name, whose) for whose in features])]  # fmt: skip
    hidden = name in batch.personal
    if features["train"].HasField("num_stats") and not hidden:
        for moment in ("min", "mean", "max"):
            numbers.append((moment, [_moment(each, moment) for each in features.values()]))
    return Card(
        name=name, kind=kind, severity=severity, whose=list(features), numbers=numbers,
        picture=None if hidden else _picture(kind, features), notes=_notes(validation, name),
    )  # fmt: skip


def _distinct(validation: Validation, name: str, whose: str) -> str:
    return "" if whose == BASELINE else f"{validation.batch.counts[whose][name].distinct:,}"


def _moment(feature: FeatureStatistics, moment: str) -> str:
    common = feature.num_stats.common_stats
    return show_number(getattr(feature.num_stats, moment)) if common.num_non_missing else ""


def _notes(validation: Validation, name: str) -> list[str]:
    notes: list[str] = []
    if name in validation.exempt:
        notes.append(f"not compared: {validation.exempt[name]}")
    elif name in validation.drift:
        distance = validation.drift[name]
        notes.append(f"drift: {distance.measure} {distance.value:.3f}")
    if name in validation.power:
        notes.append(f"alone foretells the label: {validation.power[name]:.2f}")
    return notes


def show_number(value: float) -> str:
    """Write a number for people."""
    if not math.isfinite(value):
        return "∞" if math.isinf(value) else "not a number"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"


def _picture(kind: Kind, features: Mapping[str, FeatureStatistics]) -> Picture | None:
    if kind == "boolean":
        shares = {whose: _booleans(each) for whose, each in features.items()}
        return draw_shares(shares.pop("train"), shares)
    if features["train"].HasField("num_stats"):
        step = 1.0 if kind == "integer" else 0.0  # a bucket of whole numbers ends before the next one
        buckets = {whose: _buckets(each, step) for whose, each in features.items()}
        return draw_histogram(buckets.pop("train"), buckets, axis=show_number, step=step)
    if kind == "date":
        days = _days(features)
        return draw_histogram(days.pop("train"), days, axis=_day, step=1)
    shares = {whose: _shares(each) for whose, each in features.items()}
    return draw_shares(shares.pop("train"), shares)


def _booleans(feature: FeatureStatistics) -> dict[str, float]:
    rows = feature.num_stats.common_stats.num_non_missing
    false = feature.num_stats.num_zeros / rows if rows else 0.0
    return {"true": 1 - false, "false": false} if rows else {}


def _shares(feature: FeatureStatistics) -> dict[str, float]:
    rows = feature.string_stats.common_stats.num_non_missing
    return {text: count / rows for text, count in value_counts(feature).items()} if rows else {}


def _buckets(feature: FeatureStatistics, step: float) -> list[Bucket]:
    drawn = [each for each in feature.num_stats.histograms if each.type == Histogram.STANDARD]
    end = feature.num_stats.max + step  # the last bucket may reach beyond the values
    return [
        (each.low_value, min(each.high_value, end), each.sample_count)
        for one in drawn
        for each in one.buckets
    ]


def _days(features: Mapping[str, FeatureStatistics]) -> dict[str, list[Bucket]]:
    """Return days in some twenty buckets; nothing when there are more days than ranks, or odd text."""
    days = {whose: _count_days(each) for whose, each in features.items()}
    every = [day for each in days.values() for day in each]
    width = (max(every) - min(every)) // 20 + 1 if every else 1
    return {whose: _in_buckets(each, width) for whose, each in days.items()}


def _in_buckets(days: Mapping[int, float], width: int) -> list[Bucket]:
    if not days:
        return []
    first, last = min(days), max(days)
    starts = range(first, last + 1, width)
    ends = (min(start + width, last + 1) for start in starts)
    return [
        (start, end, sum(share for day, share in days.items() if start <= day < end))
        for start, end in zip(starts, ends, strict=True)
    ]


def _count_days(feature: FeatureStatistics) -> dict[int, float]:
    if feature.string_stats.unique > RANKED_VALUES:
        return {}
    try:
        return {date.fromisoformat(text).toordinal(): share for text, share in _shares(feature).items()}
    except ValueError:
        return {}


def _day(ordinal: float) -> str:
    return date.fromordinal(int(ordinal)).isoformat()

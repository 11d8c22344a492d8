"""The page about one batch: what was found, and what every column looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from components.common.artifacts import Kind
from components.common.page import write_page
from components.data_validation.describe import RANKED_VALUES, ColumnCounts
from components.data_validation.draw import Bucket, Picture, draw_histogram, draw_shares
from components.data_validation.look_up import missing_share, train_features
from components.data_validation.messages import FeatureStatistics, Histogram
from components.data_validation.outcome import Validation
from components.data_validation.rules import RULES


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What the page shows of one column.

    Attributes:
        name: Column.
        kind: Its kind.
        severity: Gravest severity of its findings, or None.
        numbers: `(name, value, value in the baseline or "")` each, ready to be read.
        picture: How its values are spread, or None when there is nothing to draw.
    """

    name: str
    kind: str
    severity: str | None
    numbers: list[tuple[str, str, str]]
    picture: Picture | None


def write_report(path: Path, validation: Validation, label: str) -> None:
    """Write the HTML page of one validation."""
    batch, verdict = validation.batch, validation.verdict
    findings = [
        {
            "rule": finding.rule.replace("_", " "), "feature": finding.feature, "split": finding.split,
            "severity": severity, "message": finding.message, "meaning": RULES[finding.rule].meaning,
            "value": _show(finding.value), "threshold": _show(finding.threshold),
        }
        for finding, severity in validation.findings
    ]  # fmt: skip
    write_page(
        path, Path(__file__).with_name("report.html"), title="Data validation",
        verdict=verdict, label=label, version=validation.version, findings=findings,
        errors=validation.count("error"), warnings=validation.count("warning"),
        rows={split: f"{table.num_rows:,}" for split, table in batch.tables.items()},
        before=_rows_before(validation), columns=len(batch.columns), cards=_cards(validation),
    )  # fmt: skip


def _rows_before(validation: Validation) -> dict[str, str]:
    if validation.baseline is None:
        return {}
    return {each.name: f"{each.num_examples:,}" for each in validation.baseline.statistics.datasets}


def _show(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"


def _cards(validation: Validation) -> list[Card]:
    batch, baseline = validation.batch, validation.baseline
    earlier = train_features(baseline.statistics) if baseline else {}
    now = train_features(batch.statistics)
    worst: dict[str | None, str] = {}
    for finding, severity in validation.findings:
        worst.setdefault(finding.feature, severity)
    cards: list[Card] = []
    for name, kind in batch.columns.items():
        before = earlier.get(name)
        if before and before.WhichOneof("stats") != now[name].WhichOneof("stats"):
            before = None
        numbers = _numbers(now[name], before, batch.counts["train"][name])
        if name in validation.drift:
            numbers.append(("drift", f"{validation.drift[name].value:.3f}", ""))
        picture = _picture(kind, now[name], before)
        cards.append(Card(name=name, kind=kind, severity=worst.get(name), numbers=numbers, picture=picture))
    return cards


def _numbers(
    now: FeatureStatistics, before: FeatureStatistics | None, counts: ColumnCounts
) -> list[tuple[str, str, str]]:
    missing = counts.missing / counts.rows if counts.rows else 0.0
    shown = [
        ("missing", f"{missing:.1%}", f"{missing_share(before):.1%}" if before else ""),
        ("distinct", f"{counts.distinct:,}", ""),
    ]
    if now.HasField("num_stats") and counts.present:
        for name in ("min", "mean", "max"):
            value = getattr(now.num_stats, name)
            shown.append((name, _round(value), _round(getattr(before.num_stats, name)) if before else ""))
    return shown


def _round(value: float) -> str:
    if not math.isfinite(value):
        return "∞" if math.isinf(value) else "not a number"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"


def _picture(kind: Kind, now: FeatureStatistics, before: FeatureStatistics | None) -> Picture | None:
    if kind == "boolean":
        return draw_shares(_booleans(now), _booleans(before))
    if now.HasField("num_stats"):
        step = 1.0 if kind == "integer" else 0.0  # a bucket of whole numbers ends before the next one
        return draw_histogram(_buckets(now, step), _buckets(before, step), axis=_round, step=step)
    if kind == "date":
        return draw_histogram(_days(now), _days(before), axis=_day, step=1)
    return draw_shares(_shares(now), _shares(before))


def _booleans(feature: FeatureStatistics | None) -> dict[str, float]:
    if feature is None or not (rows := feature.num_stats.common_stats.num_non_missing):
        return {}
    false = feature.num_stats.num_zeros / rows
    return {"true": 1 - false, "false": false}


def _shares(feature: FeatureStatistics | None) -> dict[str, float]:
    """Return the share of each ranked value; nothing for text where the ranks leave values out."""
    if feature is None or not (rows := feature.string_stats.common_stats.num_non_missing):
        return {}
    return {each.label: each.sample_count / rows for each in feature.string_stats.rank_histogram.buckets}


def _buckets(feature: FeatureStatistics | None, step: float) -> list[Bucket]:
    histograms = feature.num_stats.histograms if feature else []
    drawn = [each for each in histograms if each.type == Histogram.STANDARD]
    end = feature.num_stats.max + step if feature else 0.0  # the last bucket may reach beyond the values
    return [
        (each.low_value, min(each.high_value, end), each.sample_count)
        for one in drawn
        for each in one.buckets
    ]


def _days(feature: FeatureStatistics | None) -> list[Bucket]:
    """Return days in some twenty buckets; nothing when there are more days than ranks, or odd text."""
    if feature is None or feature.string_stats.unique > RANKED_VALUES:
        return []
    days = _count_days(_shares(feature))
    if not days:
        return []
    first, last = min(days), max(days)
    width = (last - first) // 20 + 1
    starts = range(first, last + 1, width)
    return [
        (
            start,
            min(start + width, last + 1),
            sum(share for day, share in days.items() if start <= day < start + width),
        )
        for start in starts
    ]


def _count_days(shares: Mapping[str, float]) -> dict[int, float]:
    try:
        return {date.fromisoformat(text).toordinal(): share for text, share in shares.items()}
    except ValueError:
        return {}


def _day(ordinal: float) -> str:
    return date.fromordinal(int(ordinal)).isoformat()

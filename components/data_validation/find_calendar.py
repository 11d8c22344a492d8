"""Parts of dates: known by kind, name and range; they move on by nature, but in steps."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from components.common.artifacts import Kind
from components.data_validation.look_up import value_counts
from components.data_validation.messages import FeatureStatistics, Histogram

Range = tuple[int, int]

# Words of a name, longest first, with the ranges that their whole numbers have; the first that fits counts.
_PARTS: Mapping[str, tuple[Range, ...]] = {
    "day_of_week": ((1, 7), (0, 6)), "dayofweek": ((1, 7), (0, 6)), "weekday": ((1, 7), (0, 6)),
    "isodow": ((1, 7),), "dow": ((1, 7), (0, 6)), "wday": ((1, 7), (0, 6)),
    "day_of_year": ((1, 366), (0, 365)), "dayofyear": ((1, 366), (0, 365)), "doy": ((1, 366), (0, 365)),
    "day_of_month": ((1, 31),), "day": ((1, 31),), "week": ((1, 53), (0, 53)),
    "month": ((1, 12), (0, 11)), "quarter": ((1, 4), (0, 3)), "year": ((1900, 2200),),
    "hour": ((0, 24),), "minute": ((0, 59),), "second": ((0, 60),),
    "date": ((19000101, 22001231),), "yyyymmdd": ((19000101, 22001231),), "yyyymm": ((190001, 220012),),
    "timestamp": ((10**8, 10**10), (10**11, 10**13)), "epoch": ((10**8, 10**10), (10**11, 10**13)),
}  # fmt: skip
_RUNS = {"month": 12, "quarter": 4, "year": None}  # periods of a batch; None: they never begin again
_NAMES = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_PERIOD = re.compile(r"\d{4}-?(Q[1-4]|W?\d{2})")


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarPart:
    """A column of whole numbers that are parts of dates.

    Attributes:
        word: What its name says: `month`, `hour`, ….
        low: Smallest number that it may hold.
        high: Largest number that it may hold.
    """

    word: str
    low: int
    high: int


def find_calendar_part(name: str, kind: Kind, feature: FeatureStatistics) -> CalendarPart | None:
    """Tell by kind, name and range whether a column of whole numbers is a part of dates.

    Args:
        name: Such as `month`, `arrival_hour` or `DayOfWeek`; `days` and `per_day` are durations and rates.
        kind: Its kind; floats count when they are whole.
        feature: Its statistics, the baseline's where there is one.
    """
    stats = feature.num_stats
    if kind not in ("integer", "float") or not _is_whole(feature):
        return None
    spelled = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    spelled = re.sub(r"[^a-z]+", "_", spelled.lower())
    for word, ranges in _PARTS.items():
        if re.search(rf"(?<!per)(^|_){word}($|_)", spelled):
            fits = [each for each in ranges if each[0] <= stats.min and stats.max <= each[1]]
            return CalendarPart(word=word, low=fits[0][0], high=fits[0][1]) if fits else None
    return None


def _is_whole(feature: FeatureStatistics) -> bool:
    edges = [
        b.high_value
        for h in feature.num_stats.histograms
        if h.type == Histogram.QUANTILES
        for b in h.buckets
    ]
    return bool(edges) and all(edge.is_integer() for edge in edges)


def is_calendar_text(feature: FeatureStatistics) -> bool:
    """Tell whether all texts of a column are names of days or months, or periods such as `2013-Q1`."""
    texts = list(value_counts(feature))
    names = all(len(text) >= 3 and any(each.startswith(text.lower()) for each in _NAMES) for text in texts)
    return bool(texts) and (names or all(_PERIOD.fullmatch(text) for text in texts))


def has_gap(part: CalendarPart, before: Collection[int], now: Collection[int]) -> bool:
    """Tell whether a period is missing between the baseline and the batch.

    Months and quarters begin again after the last one, so December and January touch.

    Args:
        part: What the column is; parts that are no periods, such as `hour`, have no gaps.
        before: Numbers of the baseline.
        now: Numbers of the batch.

    Returns:
        False when the batch continues or overlaps the baseline, or the baseline had a gap itself.
    """
    if part.word not in _RUNS or not before or not now:
        return False
    cycle = _RUNS[part.word]
    return _count_runs(before, cycle) == 1 < _count_runs({*before, *now}, cycle)


def _count_runs(numbers: Collection[int], cycle: int | None) -> int:
    runs = sum(number + 1 not in numbers for number in numbers)
    closed = cycle and {min(numbers), max(numbers)} in ({1, cycle}, {0, cycle - 1})
    return runs - 1 if closed and runs > 1 else runs


def whole_numbers(feature: FeatureStatistics) -> set[int]:
    """Return the numbers that statistics saw; nothing when a bucket may hold more than one."""
    drawn = [each for each in feature.num_stats.histograms if each.type == Histogram.STANDARD]
    buckets = [bucket for each in drawn for bucket in each.buckets]
    if any(not math.isclose(bucket.high_value - bucket.low_value, 1) for bucket in buckets):
        return set()
    return {round(bucket.low_value) for bucket in buckets if bucket.sample_count}

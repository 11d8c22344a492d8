"""Parsing ISO dates in the graph, by arithmetic on bytes: no row can raise."""

from __future__ import annotations

from typing import Any, NamedTuple

from components.transform.library import tf

_DATE = "dddd-dd-dd"
_TIMESTAMP = "dddd-dd-ddTdd:dd:dd"


class Calendar(NamedTuple):
    """Parts of dates, int64 `[rows]` each; where `valid` is False the others mean nothing.

    Attributes:
        valid: Whether the string is a date of the proleptic Gregorian calendar in the expected form.
        month: 1 to 12.
        day: Day of the month, 1 to 31.
        weekday: 1 (Monday) to 7 (Sunday).
        hour: 0 to 23; 0 for dates.
        days: Whole days since 1970-01-01.
    """

    valid: Any
    month: Any
    day: Any
    weekday: Any
    hour: Any
    days: Any


def parse_dates(values: Any, *, timestamp: bool) -> Calendar:
    """Parse `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS`.

    Days are counted with H. Hinnant's algorithm (`days_from_civil`, "chrono-Compatible Low-Level Date
    Algorithms").

    Args:
        values: Strings `[rows]`, the missing marker among them.
        timestamp: Which of the two forms is expected.
    """
    form = _TIMESTAMP if timestamp else _DATE
    raw = tf.cast(tf.io.decode_raw(values, tf.uint8, fixed_length=len(form)), tf.int64)
    number = _reader(raw)
    year, month, day = number(0, 4), number(5, 7), number(8, 10)
    hour = number(11, 13) if timestamp else tf.zeros_like(month)
    days = _days_since_1970(year, month, day)
    valid = _matches(values, raw, form) & (month >= 1) & (month <= 12) & (day >= 1) & (year >= 1)
    valid &= day <= _days_in_month(year, month)
    if timestamp:
        valid &= (hour < 24) & (number(14, 16) < 60) & (number(17, 19) < 60)
    return Calendar(valid, month, day, tf.math.floormod(days + 3, 7) + 1, hour, days)


def _reader(raw: Any) -> Any:
    def number(start: int, end: int) -> Any:
        powers = [10 ** (end - place - 1) for place in range(start, end)]
        return tf.reduce_sum((raw[:, start:end] - ord("0")) * tf.constant(powers, tf.int64), axis=1)

    return number


def _matches(values: Any, raw: Any, form: str) -> Any:
    lows = tf.constant([ord("0") if mark == "d" else ord(mark) for mark in form], tf.int64)
    highs = tf.constant([ord("9") if mark == "d" else ord(mark) for mark in form], tf.int64)
    fits = tf.reduce_all((raw >= lows) & (raw <= highs), axis=1)
    return fits & tf.equal(tf.strings.length(values), len(form))


def _days_in_month(year: Any, month: Any) -> Any:
    leap = tf.equal(year % 4, 0) & (tf.not_equal(year % 100, 0) | tf.equal(year % 400, 0))
    lengths = tf.constant([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], tf.int64)
    length = tf.gather(lengths, tf.clip_by_value(month, 0, 12))
    return length + tf.cast(tf.equal(month, 2) & leap, tf.int64)


def _days_since_1970(year: Any, month: Any, day: Any) -> Any:
    year = tf.where(month <= 2, year - 1, year)
    era = year // 400
    year_of_era = year - era * 400
    shifted = tf.math.floormod(month + 9, 12)
    day_of_year = (153 * shifted + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468

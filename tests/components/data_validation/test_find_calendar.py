import numpy as np
import pyarrow as pa
import pytest

from components.data_validation.describe import describe_batch
from components.data_validation.find_calendar import (
    CalendarPart,
    find_calendar_part,
    has_gap,
    is_calendar_text,
)


def feature_of(values):
    kind = {str: pa.large_string(), int: pa.int64(), float: pa.float64()}[type(values[0])]
    table = pa.table({"c": pa.array(values, kind)})
    return describe_batch({"train": table}, {"c": "string"}).statistics.datasets[0].features[0]


@pytest.mark.parametrize(
    ("name", "values", "word"),
    [
        ("month", range(1, 13), "month"),
        ("Month", range(12), "month"),
        ("DayOfWeek", range(7), "day_of_week"),
        ("arrival_hour", range(24), "hour"),
        ("day", [1, 31], "day"),
        ("year", [2013, 2014], "year"),
        ("flight_date", [20130101, 20131231], "date"),
        ("month", range(1, 25), None),  # months since something
        ("days", range(1, 13), None),  # a duration
        ("sales_per_day", range(1, 13), None),  # a rate
        ("seats", range(1, 13), None),
        ("monthly", range(1, 13), None),
    ],
)
def test_a_part_of_dates_is_known_by_name_and_range(name, values, word):
    part = find_calendar_part(name, "integer", feature_of(list(values)))
    assert (part.word if part else None) == word


def test_floats_count_when_they_are_whole():
    assert find_calendar_part("hour", "float", feature_of([1.0, 2.0])).word == "hour"
    assert find_calendar_part("hour", "float", feature_of([1.5, 2.0])) is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Mon", "Tue", "Sun"], True),
        (["JANUARY", "february"], True),
        (["2013-Q1", "2013-Q2"], True),
        (["2013-01", "2013-02"], True),
        (["Mon", "EWR"], False),
        (["M", "T"], False),
    ],
)
def test_names_of_days_months_and_periods_are_calendar_text(texts, expected):
    assert is_calendar_text(feature_of(texts)) is expected


MONTH, YEAR = (CalendarPart(word=word, low=0, high=9999) for word in ("month", "year"))


@pytest.mark.parametrize(
    ("part", "before", "now", "expected"),
    [
        (MONTH, {1}, {2}, False),
        (MONTH, {1}, {1}, False),
        (MONTH, {1}, {12}, False),  # December touches January
        (MONTH, {11, 12}, {1, 2}, False),
        (MONTH, {1}, {3}, True),
        (MONTH, {1}, {2, 4}, True),
        (MONTH, {1, 3}, {5}, False),  # the baseline had a gap itself
        (MONTH, set(range(1, 13)), {7}, False),
        (YEAR, {2013}, {2014}, False),
        (YEAR, {2013}, {2015}, True),
        (CalendarPart(word="day", low=1, high=31), {1}, {9}, False),
    ],
)
def test_a_gap_is_a_period_between_baseline_and_batch(part, before, now, expected):
    assert has_gap(part, before, now) is expected


def with_month(workshop, month, seed=0):
    splits = workshop.splits(seed)
    for columns in splits.values():
        columns["month"] = [month(at) for at in range(len(columns["seats"]))]
    return splits, {**workshop.kinds, "month": "integer"}


def test_calendar_columns_are_compared_when_asked(workshop):
    first, kinds = with_month(workshop, lambda at: 1)
    second, _ = with_month(workshop, lambda at: 2, seed=1)
    baseline, batch = workshop.baseline_of(first, kinds), workshop.write(second, kinds)
    assert workshop.validate(batch, baseline).found() == set()
    asked = workshop.validate(batch, baseline, columns={"month": {"may_drift": False}})
    assert asked.found() == {("drift", "month")}


def test_a_time_split_of_calendar_columns_is_no_skew(workshop):
    splits, kinds = with_month(workshop, lambda at: 1 + at % 9)
    splits["eval"]["month"], splits["test"]["month"] = [10] * 100, [11] * 100
    assert workshop.validate(workshop.write(splits, kinds)).verdict.reasons == []


def test_a_range_in_the_policy_takes_the_place_of_the_calendars(workshop):
    first, kinds = with_month(workshop, lambda at: 1 + at % 12)
    second, _ = with_month(workshop, lambda at: 1 + at % 13, seed=1)
    baseline, batch = workshop.baseline_of(first, kinds), workshop.write(second, kinds)
    assert workshop.validate(batch, baseline).found() == {("out_of_range", "month")}
    asked = {"month": {"min": 1, "max": 13}}
    assert workshop.validate(batch, baseline, columns=asked).verdict.passed


def test_a_whole_year_of_dates_is_no_key(workshop):
    days = np.arange("2013-01-01", "2013-12-31", dtype="datetime64[D]").astype(str).tolist()
    splits = workshop.splits()
    for columns in splits.values():
        columns["day"] = [days[at % len(days)] for at in range(len(columns["day"]))]
    assert workshop.validate(workshop.write(splits)).validation.exempt["day"] == "a date"

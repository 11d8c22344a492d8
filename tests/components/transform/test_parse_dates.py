import datetime

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.transform.parse_dates import parse_dates


def parse(texts, *, timestamp=False):
    calendar = parse_dates(tf.constant(texts), timestamp=timestamp)
    return {name: values.numpy().tolist() for name, values in calendar._asdict().items()}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dates(), min_size=1, max_size=50))
def test_dates_agree_with_the_standard_library(dates):
    found = parse([date.isoformat() for date in dates])
    epoch = datetime.date(1970, 1, 1)
    assert all(found["valid"])
    assert found["month"] == [date.month for date in dates]
    assert found["day"] == [date.day for date in dates]
    assert found["weekday"] == [date.isoweekday() for date in dates]
    assert found["days"] == [(date - epoch).days for date in dates]


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"))
def test_exactly_the_dates_of_the_calendar_are_valid(text):
    try:
        datetime.date(*(int(part) for part in text.split("-")))
        expected = True
    except ValueError:
        expected = False
    assert parse([text])["valid"] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "yesterday",
        "2024-1-31",
        "2024-01-31 ",
        "2024-01-31T00:00:00",
        "x" * 99,
        "\uff12\uff10\uff12\uff14-01-31",
    ],
)
def test_other_strings_are_missing_and_raise_nothing(text):
    assert parse([text])["valid"] == [False]


def test_timestamps_have_an_hour_and_must_be_complete():
    texts = [
        "2024-02-29T23:59:59",
        "2024-02-29T24:00:00",
        "2024-02-29T00:60:00",
        "2024-02-29",
        "2024-02-29 23:59:59",
    ]
    found = parse(texts, timestamp=True)
    assert found["valid"] == [True, False, False, False, False]
    assert (found["hour"][0], found["month"][0]) == (23, 2)
    assert np.array(found["weekday"])[0] == 4

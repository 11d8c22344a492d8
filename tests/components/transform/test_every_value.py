"""Every value that can be sent has a defined answer; oracles are NumPy, datetime and the README's table."""

import datetime
import math

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING
from components.common.encoding import DATATYPES, encode_column
from components.common.errors import BadInputError
from components.transform.apply import load_graph
from components.transform.derive import Derived
from components.transform.measure import measure_columns
from components.transform.write_graph import write_graph

TOWNS = ["Oslo", "Rome", "Zürich"]
PRICES = np.float32([1.5, 2.5, 4.0, 8.0, 8.0])
COUNTS = [1, 2, 3, 4, 90]
FEATURES = [
    Derived(
        column="price", position=0, kind="float", encoding="number", clip_share=0.1, indicator=True, why=""
    ),
    Derived(column="count", position=1, kind="integer", encoding="number", indicator=True, why=""),
    Derived(column="town", position=2, kind="string", encoding="category", size=10, why=""),
    Derived(column="rooms", position=3, kind="integer", encoding="category", size=10, why=""),
    Derived(column="street", position=4, kind="string", encoding="hash", size=7, why=""),
    Derived(column="sold", position=5, kind="date", encoding="calendar", indicator=True, why=""),
]
KINDS = {feature.column: feature.kind for feature in FEATURES}
DAYS = ["1970-01-01", "1970-01-02", "1970-01-03", "1970-01-03", "1970-01-06"]

values = {
    "price": st.none() | st.floats(width=64),
    "count": st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
    "town": st.none() | st.sampled_from(TOWNS) | st.text().filter(lambda text: text != MISSING_STRING),
    "rooms": st.none() | st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(0, 4),
    "street": st.none() | st.text().filter(lambda text: text != MISSING_STRING),
    "sold": st.none() | st.dates().map(str) | st.text().filter(lambda text: text != MISSING_STRING),
}
rows = st.fixed_dictionaries(values)
ODD = {
    "price": math.inf,
    "count": 2**63 - 1,
    "town": "",
    "rooms": -1,
    "street": "x" * 10**6,
    "sold": "2023-02-29",
}
WORSE = {"price": 1e300, "count": 0, "town": "Oslo\n", "rooms": 2**62, "street": "", "sold": "0000-00-00"}


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    table = pa.table({
        "price": pa.array(PRICES, pa.float64()), "count": COUNTS, "town": ["Rome", "Rome", *TOWNS],
        "rooms": [1, 1, 2, 2, 3], "street": list("abcde"), "sold": DAYS,
    })  # fmt: skip
    folder = tmp_path_factory.mktemp("every") / "graph"
    read = lambda columns: iter(table.select(columns).to_batches())  # noqa: E731 - a reader of one table
    measured = measure_columns(read, FEATURES, max_correlation=1.0)
    write_graph(FEATURES, KINDS, measured.columns, transform_graph=folder)
    graph = load_graph(folder)

    def ask(sent):
        arrays = {
            name: encode_column([row[name] for row in sent], DATATYPES[kind], name=name)
            for name, kind in KINDS.items()
        }
        found = graph({name: tf.constant(array) for name, array in arrays.items()})
        return {name: tensor.numpy() for name, tensor in found.items()}

    return ask


def scaled(value, known, low=-math.inf, high=math.inf):
    return (min(max(float(value), low), high) - np.mean(known, dtype=float)) / np.std(known, dtype=float)


def expected(row):
    with np.errstate(over="ignore"):
        price = np.float32(math.nan if row["price"] is None else row["price"])
    town = {"Rome": 2, "Zürich": 3, "Oslo": 4}  # by falling frequency, then falling code points
    rooms = {2: 2, 1: 3, 3: 4}
    try:
        day = datetime.date.fromisoformat(row["sold"] or "")
        day = day if row["sold"] == day.isoformat() else None
    except ValueError:
        day = None
    days = [0, 1, 2, 2, 5]
    since = None if day is None else (day - datetime.date(1970, 1, 1)).days
    return {
        "price.number": scaled(price, PRICES, 1.5, 8.0) if np.isfinite(price) else 0,
        "price.missing": float(not np.isfinite(price)),
        "count.number": 0 if row["count"] is None else scaled(row["count"], COUNTS),
        "count.missing": float(row["count"] is None),
        "town.index": 0 if row["town"] is None else town.get(row["town"], 1),
        "rooms.index": 0 if row["rooms"] is None else rooms.get(row["rooms"], 1),
        "sold.month": day.month if day else 0, "sold.day": day.day if day else 0,
        "sold.weekday": day.isoweekday() if day else 0,
        "sold.days": 0 if since is None else scaled(since, days), "sold.missing": float(day is None),
    }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(rows, min_size=1, max_size=5))
@example([ODD, WORSE, dict.fromkeys(values)])
def test_every_value_is_answered_as_the_readme_says(answer, sent):
    found = answer(sent)
    for place, row in enumerate(sent):
        for name, value in expected(row).items():
            np.testing.assert_allclose(
                found[name][place], value, rtol=1e-6, atol=1e-6, err_msg=f"{name} of {row}"
            )
        bucket = found["street.index"][place]
        assert bucket == 0 if row["street"] is None else 1 <= bucket <= 7
    assert all(np.isfinite(numbers).all() for numbers in found.values())


def test_a_bucket_depends_on_the_value_alone(answer):
    row = dict.fromkeys(values)
    sent = [{**row, "street": street} for street in ("a", "b", "a", "", "")]
    buckets = answer(sent)["street.index"].tolist()
    assert (buckets[0], buckets[3]) == (buckets[2], buckets[4])
    assert buckets[0] != buckets[1]


@pytest.mark.parametrize(("name", "marker"), [("count", MISSING_INTEGER), ("town", MISSING_STRING)])
def test_a_marker_cannot_be_sent_as_a_value(answer, name, marker):
    with pytest.raises(BadInputError, match=f"input `{name}`, row 0"):
        answer([{**dict.fromkeys(values), name: marker}])

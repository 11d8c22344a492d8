import numpy as np
import pyarrow as pa
import pytest

from components.common.errors import BadInputError
from components.transform.config import TransformConfig
from components.transform.derive import derive_features
from components.transform.profile import ColumnProfile, profile_columns

CONFIG = TransformConfig(max_vocabulary=10, max_vocabulary_integers=5)


def profile(kind, distinct, *, rows=100, present=None, words=0):
    present = rows if present is None else present
    values = set(range(distinct)) if kind != "string" else {str(value) for value in range(distinct)}
    return ColumnProfile(
        kind=kind, rows=rows, present=present, distinct=values, counted=present, words=words
    )


@pytest.mark.parametrize(
    ("column", "encoding"),
    [
        (profile("float", 90), "number"),
        (profile("integer", 5), "category"),
        (profile("integer", 6), "number"),
        (profile("boolean", 2), "category"),
        (profile("string", 10), "category"),
        (profile("string", 11), "hash"),
        (profile("date", 50), "calendar"),
        (profile("timestamp", 50), "calendar"),
    ],
)
def test_kind_and_distinct_values_decide_the_encoding(column, encoding):
    derived, dropped = derive_features({"x": column}, {}, CONFIG)
    assert [one.encoding for one in derived] == [encoding]
    assert dropped == {}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (profile("integer", 1), "constant"),
        (profile("float", 0, present=0), "no value"),
        (profile("string", 95), "identifier"),
        (profile("string", 20, words=600), "free text"),
    ],
)
def test_columns_that_teach_nothing_are_dropped_with_the_reason(column, reason):
    _, dropped = derive_features({"x": column, "y": profile("float", 90)}, {}, CONFIG)
    assert reason in dropped["x"]


def counted(values):
    batch = pa.record_batch({"x": pa.array(values, pa.int64())})
    return profile_columns([batch[:70], batch[70:]], {"x": "integer"})["x"]


DRAW = np.random.default_rng(0)
FOUR_OF_FIVE = sorted(DRAW.permutation(1000)[:800].tolist())  # what a split by hash leaves of a counter
REPEATED = [*range(999), 7]
NUMBERS = {
    "cents": DRAW.integers(100, 100_000, 1000).tolist(),
    "cents, none twice": DRAW.permutation(100_000)[:1000].tolist(),
    "one value twice": REPEATED,
    "few rows": list(range(99)),
}


@pytest.mark.parametrize(
    "values",
    [
        FOUR_OF_FIVE,
        [10 * value + 3 for value in FOUR_OF_FIVE],
        list(range(5000, 4900, -1)),
        [None, *FOUR_OF_FIVE],
    ],
    ids=["part of a counter", "in steps of ten", "falling", "with a gap"],
)
def test_a_counter_is_dropped_unless_it_is_asked_for(values):
    columns = {"x": counted(values), "y": profile("float", 90)}
    assert "looks like a counter" in derive_features(columns, {}, CONFIG)[1]["x"]
    derived, dropped = derive_features(columns, {"x": "number"}, CONFIG)
    assert ([one.column for one in derived], dropped) == (["x", "y"], {})


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_whole_numbers_that_measure_something_stay_numbers(values):
    derived, _ = derive_features({"x": counted(values)}, {}, CONFIG)
    assert [one.encoding for one in derived] == ["number"]


def test_one_value_or_missing_is_not_constant():
    derived, _ = derive_features({"x": profile("float", 1, present=50)}, {}, CONFIG)
    assert derived[0].indicator


def test_overrides_win_over_the_rules():
    columns = {name: profile("integer", 5) for name in "abcd"}
    asked = {"a": "drop", "b": "number", "c": {"encoding": "hash", "size": 7.0}}
    derived, dropped = derive_features(columns, asked, CONFIG)
    assert [(one.column, one.encoding, one.size) for one in derived] == [
        ("b", "number", 0), ("c", "hash", 7), ("d", "category", 10),
    ]  # fmt: skip
    assert list(dropped) == ["a"]


def test_a_mapping_sets_single_things_and_the_rest_is_derived():
    columns = {name: profile("float", 90) for name in "ab"} | {"c": profile("string", 9)}
    derived, _ = derive_features(columns, {"a": {"clip_share": 0.0}, "c": {"size": 4.0}}, CONFIG)
    assert [(one.clip_share, one.encoding) for one in derived] == [
        (0.0, "number"), (CONFIG.clip_share, "number"), (0.0, "category"),
    ]  # fmt: skip
    assert derived[2].truncated
    assert derived[2].warning == "has 9 distinct values; only the 4 most frequent have an index"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"distanse": "drop"}, "did you mean `distance`"),
        ({"distance": "calendar"}, "takes drop, number, category, hash"),
        ({"distance": {"encoding": "hash", "sise": 3}}, "did you mean `size`"),
        ({"distance": {"encoding": "hash", "size": 0}}, "size >= 1"),
        ({"distance": {"encoding": "category", "size": 100_001}}, "size <= 100000"),
        ({"distance": {"clip_share": 0.5}}, "clip_share <= 0.1"),
        ({"distance": {"encoding": None}}, "unknown encoding"),
        ({"distance": 7}, "word or a mapping"),
        ({"distance": "drop"}, "no column is left"),
    ],
)
def test_overrides_that_cannot_be_are_refused(asked, message):
    with pytest.raises(BadInputError, match=message):
        derive_features({"distance": profile("integer", 5)}, asked, CONFIG)


def test_a_column_of_another_type_than_the_schema_says_is_named():
    with pytest.raises(BadInputError, match="column `x` — got 'string'"):
        profile_columns([pa.record_batch({"x": ["a"]})], {"x": "float"})

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


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"distanse": "drop"}, "did you mean `distance`"),
        ({"distance": "calendar"}, "takes drop, number, category, hash"),
        ({"distance": {"encoding": "hash", "sise": 3}}, "did you mean `size`"),
        ({"distance": {"encoding": "hash", "size": 0}}, "size >= 1"),
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

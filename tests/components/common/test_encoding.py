import math

import numpy as np
import pyarrow as pa
import pytest

from components.common.artifacts import MISSING_INTEGER, Signature
from components.common.encoding import (
    class_name,
    edge_mask,
    encode_column,
    encode_columns,
    encode_label,
    missing_mask,
)
from components.common.errors import BadInputError

SIGNATURE = Signature(
    inputs=[
        {"name": "hour", "kind": "integer", "datatype": "INT64", "optional": True, "example": 1},
        {"name": "distance", "kind": "float", "datatype": "FP32", "optional": False, "example": 1.5},
        {"name": "carrier", "kind": "string", "datatype": "BYTES", "optional": True, "example": "UA"},
    ],
    outputs=[{"name": "probability", "datatype": "FP32", "shape": [-1]}],
)


def test_values_take_the_types_of_the_signature_and_nulls_become_markers():
    columns = {"hour": [5, None], "distance": [1, None], "carrier": ["Zürich", None], "label": [1, 0]}
    encoded = encode_columns(columns, SIGNATURE)
    assert list(encoded) == ["hour", "distance", "carrier"]
    assert [values.dtype for values in encoded.values()] == [np.int64, np.float32, np.object_]
    assert encoded["hour"].tolist() == [5, MISSING_INTEGER]
    assert encoded["distance"][0] == 1.0
    assert math.isnan(encoded["distance"][1])
    assert encoded["carrier"].tolist() == ["Zürich".encode(), b"\x00"]


@pytest.mark.parametrize("chunked", [False, True])
def test_arrow_columns_give_what_their_python_values_give(chunked):
    columns = {
        "hour": pa.array([2**62 + 1, None, -3], pa.int64()),
        "distance": pa.array([0.1, None, 1e300], pa.float64()),
        "carrier": pa.array(["a", None, ""], pa.large_string()),
    }
    lists = {name: column.to_pylist() for name, column in columns.items()}
    arrow = {name: pa.chunked_array([column]) if chunked else column for name, column in columns.items()}
    expected = encode_columns(lists, SIGNATURE)
    for name, values in encode_columns(arrow, SIGNATURE).items():
        np.testing.assert_array_equal(values, expected[name])
        assert values.dtype == expected[name].dtype


def test_a_column_of_nulls_alone_is_missing_in_every_row():
    for datatype in ("FP32", "INT64", "BYTES"):
        assert missing_mask(encode_column(pa.nulls(3), datatype, name="x")).all()
        assert missing_mask(encode_column([None] * 3, datatype, name="x")).all()


def test_an_empty_string_is_not_missing():
    assert missing_mask(encode_column(["", None], "BYTES", name="x")).tolist() == [False, True]


def test_numpy_arrays_and_bytes_are_taken():
    assert encode_column(np.array([1, 2], np.int32), "INT64", name="x").tolist() == [1, 2]
    assert encode_column(np.array([b"a", "b"], object), "BYTES", name="x").tolist() == [b"a", b"b"]


def test_an_absent_optional_input_is_missing_in_every_row():
    encoded = encode_columns({"distance": [1.0, 2.0]}, SIGNATURE)
    assert encoded["hour"].tolist() == [MISSING_INTEGER] * 2
    assert encoded["carrier"].tolist() == [b"\x00"] * 2


def test_an_absent_required_input_is_named():
    with pytest.raises(BadInputError, match="absent — input `distance`"):
        encode_columns({"hour": [1]}, SIGNATURE)


def test_a_null_in_a_required_input_is_refused_only_when_asked():
    encode_columns({"distance": [1.0, None]}, SIGNATURE)
    with pytest.raises(BadInputError, match="input `distance`, row 1"):
        encode_columns({"distance": [1.0, None]}, SIGNATURE, require=True)


def test_inputs_of_different_lengths_are_refused():
    with pytest.raises(BadInputError, match="differ in length"):
        encode_columns({"distance": [1.0], "hour": [1, 2]}, SIGNATURE)


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("INT64", 1.5), ("INT64", "1"), ("INT64", 2**63), ("INT64", MISSING_INTEGER), ("INT64", math.inf),
        ("FP32", "1.0"), ("FP32", True), ("FP32", [1.0]),
        ("BYTES", 7), ("BYTES", "\x00"), ("BYTES", "\ud800"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_named_with_its_row(datatype, value):
    with pytest.raises(BadInputError, match="input `x`, row 1"):
        encode_column([None, value], datatype, name="x")


def test_whole_floats_and_booleans_are_integers():
    assert encode_column([3.0, True], "INT64", name="x").tolist() == [3, 1]


def test_floats_that_no_server_takes_are_told_from_the_least_and_the_largest_of_the_type():
    """Of IEEE 754: normal are 2**-126 to (2 - 2**-23) * 2**127."""
    largest = (2 - 2**-23) * 2.0**127
    taken = [0.0, -0.0, 2.0**-126, -(2.0**-126), largest, -largest, math.nan]
    refused = [1e-40, -1e-40, math.nextafter(2.0**-126, 0) * (1 - 2**-23), 2.0**-149, math.inf, -math.inf]
    encoded = np.array([*taken, *refused], np.float32)
    assert edge_mask(encoded).tolist() == [False] * len(taken) + [True] * len(refused)
    assert not edge_mask(np.array([MISSING_INTEGER, 0])).any()


def test_an_arrow_column_of_another_type_is_refused():
    with pytest.raises(BadInputError, match="input `x`"):
        encode_column(pa.array([1.5]), "INT64", name="x")


def test_labels_become_class_indices_and_unknown_classes_have_none():
    label, known = encode_label(pa.array(["b", None, "a", "z"]), "multiclass", ["a", "b"])
    assert (label.dtype, label.tolist(), known.tolist()) == (
        np.int64,
        [1, 0, 0, 0],
        [True, False, True, False],
    )


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("values", [[], [None, None], [1.0, None, 0.0, 1.0, math.nan, 7.0, 2.5]])
def test_labels_in_arrow_are_those_of_a_list(task, values):
    classes = [] if task == "regression" else ["0", "1"]
    wanted = encode_label(values, task, classes)
    halves = [values[: len(values) // 2], values[len(values) // 2 :]]
    for column in (pa.array(values, pa.float64()), pa.chunked_array(halves, pa.float64())):
        for found, expected in zip(encode_label(column, task, classes), wanted, strict=True):
            assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())


def test_binary_labels_are_floats_whatever_their_type():
    for values in ([0, 1], [0.0, 1.0], [False, True]):
        label, known = encode_label(values, "binary", ["0", "1"])
        assert (label.dtype, label.tolist(), known.all()) == (np.float32, [0.0, 1.0], True)


def test_regression_labels_must_be_finite():
    label, known = encode_label(pa.array([1.5, None, math.inf]), "regression", [])
    assert (label.tolist(), known.tolist()) == ([1.5, 0.0, 0.0], [True, False, False])


def test_whole_numbers_have_one_class_name():
    assert [class_name(value) for value in (3, 3.0, True, 2.5, "3.0")] == ["3", "3", "1", "2.5", "3.0"]

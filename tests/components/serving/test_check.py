"""Every way a request can be wrong is told by the name of the field; rows and nulls go through."""

import duckdb
import numpy as np
import pytest

from components.common.artifacts import MISSING_INTEGER, Signature
from components.common.encoding import InputError
from components.common.errors import BadInputError
from components.serving.check import encode_request
from components.serving.read import read_instances, read_tensors

KINDS = {"f": "float", "i": "integer", "s": "string", "b": "boolean", "d": "date", "t": "timestamp"}
DATATYPES = {"f": "FP32", "i": "INT64", "s": "BYTES", "b": "INT64", "d": "BYTES", "t": "BYTES"}
SIGNATURE = Signature(
    inputs=[
        {"name": name, "kind": kind, "datatype": DATATYPES[name], "optional": name != "i", "example": None}
        for name, kind in KINDS.items()
    ],
    outputs=[],
)


def tensor(name="i", datatype="INT64", shape=(1,), data=(1,)):
    return {"name": name, "datatype": datatype, "shape": list(shape), "data": list(data)}


def test_tensors_and_instances_of_equal_rows_are_equal_columns():
    rows = [{"f": 1.5, "i": 1, "s": "x", "b": True, "d": "2013-01-31", "t": "2013-01-31T23:59:59"}]
    rows.append({"f": None, "i": 2, "s": None, "b": 0, "d": None, "t": None})
    tensors = [tensor(n, DATATYPES[n], (2,), [row[n] for row in rows]) for n in KINDS]
    by_tensors = read_tensors({"inputs": tensors}, SIGNATURE, max_rows=2)
    by_instances = read_instances({"instances": rows}, SIGNATURE, max_rows=2)
    assert by_tensors == by_instances
    encoded = encode_request(by_tensors, SIGNATURE)
    assert encoded["b"].tolist() == [1, 0]
    assert encoded["s"].tolist() == [b"x", b"\x00"]
    assert np.isnan(encoded["f"][1])


def test_column_vectors_are_taken_flat_or_nested():
    for data in ([1, 2], [[1], [2]]):
        columns = read_tensors({"inputs": [tensor(shape=(2, 1), data=data)]}, SIGNATURE, max_rows=9)
        assert columns == {"i": [1, 2]}


def test_omitted_optional_inputs_are_missing_values():
    encoded = encode_request({"i": [1, 2]}, SIGNATURE)
    assert encoded["b"].tolist() == [MISSING_INTEGER] * 2
    assert encoded["d"].tolist() == [b"\x00"] * 2


TENSOR_ERRORS = {
    "no object": ([], "request"),
    "no inputs": ({}, "`inputs`"),
    "inputs of another type": ({"inputs": {"i": 1}}, "`inputs`"),
    "no rows at all": ({"inputs": []}, "1 to 3 rows"),
    "input that is no object": ({"inputs": [1]}, r"inputs\[0\]"),
    "input without a name": ({"inputs": [{}]}, "`name`"),
    "unknown input": ({"inputs": [tensor("ii")]}, "did you mean `i`"),
    "input given twice": ({"inputs": [tensor(), tensor()]}, "`i`.*|twice.*`i`"),
    "wrong datatype": ({"inputs": [tensor(datatype="FP32")]}, "INT64.*`i`"),
    "shape of another length": ({"inputs": [tensor(shape=(2,))]}, "`shape`.*`i`"),
    "shape of two columns": ({"inputs": [tensor(shape=(1, 2), data=(1, 2))]}, "`shape`.*`i`"),
    "no shape": ({"inputs": [{"name": "i", "datatype": "INT64", "data": [1]}]}, "`shape`.*`i`"),
    "no data": ({"inputs": [{"name": "i", "datatype": "INT64", "shape": [1]}]}, "`data`.*`i`"),
    "zero rows": ({"inputs": [tensor(shape=(0,), data=())]}, "1 to 3 rows"),
    "too many rows": ({"inputs": [tensor(shape=(4,), data=[1] * 4)]}, "1 to 3 rows.*4"),
    "lengths that differ": ({"inputs": [tensor(), tensor("f", "FP32", (2,), (1, 2))]}, "1 values.*`f`.*2"),
}


@pytest.mark.parametrize("case", TENSOR_ERRORS)
def test_malformed_v2_request_is_refused_by_name(case):
    payload, told = TENSOR_ERRORS[case]
    with pytest.raises(BadInputError, match=told):
        read_tensors(payload, SIGNATURE, max_rows=3)


INSTANCE_ERRORS = {
    "no instances": ({}, "`instances`"),
    "zero rows": ({"instances": []}, "1 to 3 rows"),
    "too many rows": ({"instances": [{"i": 1}] * 4}, "1 to 3 rows"),
    "empty row": ({"instances": [{"i": 1}, {}]}, r"instances\[1\]"),
    "row of values": ({"instances": [[1, 2]]}, r"instances\[0\]"),
    "unknown field": ({"instances": [{"i": 1, "ff": 2}]}, r"`ff`.*instances\[0\]"),
    "missing required field": ({"instances": [{"f": 1}]}, "input `i`, row 0"),
}


@pytest.mark.parametrize("case", INSTANCE_ERRORS)
def test_malformed_v1_request_is_refused_by_name(case):
    payload, told = INSTANCE_ERRORS[case]
    with pytest.raises(BadInputError, match=told):
        read_instances(payload, SIGNATURE, max_rows=3)


VALUE_ERRORS = {
    "text for a number": ("f", "1.5"),
    "boolean for a number": ("f", True),
    "beyond float32": ("f", 1e39),
    "list for a number": ("f", [1]),
    "fraction for a whole number": ("i", 1.5),
    "text for a whole number": ("i", "1"),
    "boolean for a whole number": ("i", True),
    "beyond 64 bits": ("i", 1e30),
    "null in a required input": ("i", None),
    "the marker itself": ("i", MISSING_INTEGER),
    "number for a text": ("s", 1),
    "the marker of texts": ("s", "\x00"),
    "two for a boolean": ("b", 2),
    "text for a boolean": ("b", "true"),
    "another form of date": ("d", "31.01.2013"),
    "no such day": ("d", "2013-02-30"),
    "date with a time": ("d", "2013-01-31T00:00:00"),
    "timestamp of a named zone": ("t", "2013-01-31T10:00:00 Europe/Berlin"),
    "timestamp of no such hour": ("t", "2013-01-31T25:00:00"),
    "timestamp of digits that are not ASCII": ("t", "2013-01-31T1٣:00"),
    "number for a date": ("d", 20130131),
    "number for a timestamp": ("t", 20130131),
}


@pytest.mark.parametrize("case", VALUE_ERRORS)
def test_value_of_another_type_is_refused_by_input_and_row(case):
    name, value = VALUE_ERRORS[case]
    columns = {"i": [1, 1], name: [None if name != "i" else 1, value]}
    with pytest.raises(InputError, match=f"input `{name}`, row 1") as refused:
        encode_request(columns, SIGNATURE)
    assert (refused.value.input, refused.value.row) == (name, 1)


@pytest.mark.parametrize("tiny", [1e-38, -1e-40, 1e-46, -1e-300, 5e-324])
def test_number_too_small_for_fp32_is_refused_and_0_is_taken(tiny):
    with pytest.raises(InputError, match="too small for FP32, and not 0 — input `f`, row 4"):
        encode_request({"i": [1] * 6, "f": [0, 0.0, -0.0, None, tiny, 0.0]}, SIGNATURE)
    encoded = encode_request({"i": [1] * 3, "f": [0, 0.0, -0.0]}, SIGNATURE)
    assert encoded["f"].tolist() == [0.0, 0.0, -0.0]


MOMENTS = [
    "2020-02-07", "2020-02-07 04:00", "2020-02-07 04:00:00", "2020-02-07T04:00:00", "2020-02-07T04:00:00Z",
    "2020-02-07 04:00:00+02:00", "2020-02-07T23:30:00-05", "2020-02-07 04:00:00.999", "2020-02-29 00:00:00",
    "1969-12-31T23:59:59.5Z",
]  # fmt: skip


def test_timestamps_are_taken_in_the_forms_of_ingestion_and_to_the_same_moment():
    """The oracle is DuckDB, by the very cast that ingestion applies to a CSV."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    cast = "strftime(timezone('UTC', CAST(? AS TIMESTAMPTZ)), '%Y-%m-%dT%H:%M:%S')"
    oracle = [connection.execute(f"SELECT {cast}", [text]).fetchone()[0] for text in MOMENTS]
    encoded = encode_request({"i": [1] * len(MOMENTS), "t": MOMENTS}, SIGNATURE)
    assert [value.decode() for value in encoded["t"]] == oracle

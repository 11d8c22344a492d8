"""Binary tensors, held against `struct` and against kserve's own encoder."""

import struct

import numpy as np
import pytest
from kserve.protocol.infer_type import InferInput

from components.common.artifacts import MISSING_INTEGER, Signature
from components.common.encoding import InputError
from components.common.errors import BadInputError
from components.serving.binary import read_binary, write_binary
from components.serving.read import read_tensors

SIGNATURE = Signature(
    inputs=[
        {"name": "f", "kind": "float", "datatype": "FP32", "optional": True, "example": None},
        {"name": "s", "kind": "string", "datatype": "BYTES", "optional": True, "example": None},
    ],
    outputs=[],
)


def encoded_by_kserve(values, datatype):
    tensor = InferInput("x", list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return tensor._raw_data


def test_bytes_of_another_encoder_are_read_and_markers_are_missing_values():
    floats = encoded_by_kserve(np.array([1.5, np.nan, -2], np.float32), "FP32")
    assert read_binary(floats, "FP32", "x") == [1.5, None, -2.0]
    integers = encoded_by_kserve(np.array([7, MISSING_INTEGER], np.int64), "INT64")
    assert read_binary(integers, "INT64", "x") == [7, None]
    texts = encoded_by_kserve(np.array([b"AA", "é".encode(), b"\0", b""], np.object_), "BYTES")
    assert read_binary(texts, "BYTES", "x") == ["AA", "é", None, ""]


def test_outputs_are_little_endian_numbers_row_by_row():
    assert write_binary(np.array([[0.25, 0.75], [1, 0]], np.float32)) == struct.pack(
        "<4f", 0.25, 0.75, 1, 0
    )


@pytest.mark.parametrize(
    ("content", "datatype", "told"),
    [
        (b"\0" * 7, "FP32", "multiple of 4"),
        (b"\0" * 12, "INT64", "multiple of 8"),
        (b"\1\0\0", "BYTES", "ends beyond"),
        (b"\5\0\0\0abc", "BYTES", "ends beyond"),
        (b"\xff\xff\xff\xffabc", "BYTES", "ends beyond"),
        (b"\1\0\0\0\xff", "BYTES", "row 0"),
    ],
)
def test_bytes_that_make_no_values_are_refused_by_input(content, datatype, told):
    with pytest.raises(InputError, match=told) as refused:
        read_binary(content, datatype, "x")
    assert refused.value.input == "x"


def tensor(size, **more):
    return {"name": "f", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": size}, **more}


@pytest.mark.parametrize(
    ("tensors", "binary", "told"),
    [
        ([tensor(8)], b"\0" * 9, "add up to 8"),
        ([tensor(12)], b"\0" * 8, "add up to 12"),
        ([tensor(-1)], b"", "number of bytes"),
        ([tensor(8.0)], b"\0" * 8, "number of bytes"),
        ([tensor(True)], b"\0", "number of bytes"),
        ([tensor(8, data=[1, 2])], b"\0" * 8, "in place of `data`"),
        ([tensor(8, shape=[3])], b"\0" * 8, "shape"),
        ([{**tensor(8), "name": "s"}], b"\0" * 8, "BYTES"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tensors, binary, told):
    with pytest.raises(BadInputError, match=told):
        read_tensors({"inputs": tensors}, SIGNATURE, max_rows=9, binary=binary)


def test_binary_and_json_tensors_stand_beside_each_other():
    text = {"name": "s", "datatype": "BYTES", "shape": [2], "data": ["AA", None]}
    columns = read_tensors(
        {"inputs": [tensor(8), text]}, SIGNATURE, max_rows=9, binary=struct.pack("<2f", 1, 2)
    )
    assert columns == {"f": [1.0, 2.0], "s": ["AA", None]}

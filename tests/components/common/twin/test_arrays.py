"""Operations on the form of arrays, and sums along axes, against TensorFlow's own kernels."""

import pytest

pytest.importorskip("hypothesis")  # only the environment of development has it

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.common.twin.operations import make_operation
from tests.components.common.twin.hold import assert_same, hold
from tests.components.common.twin.strategies import values

KINDS = ("float32", "int64", "string", "bool")
many = settings(deadline=None, max_examples=20)
sizes = st.integers(0, 5)


def int32(*numbers):
    return np.array(numbers, np.int32)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), rows=sizes)
@many
def test_reshaping_is_tensorflows(kind, data, rows):
    array = data.draw(values(kind, (rows, 6)))
    for shape in ([-1, 3], [rows * 6], [rows, 1, 6], [rows, 2, 3]):
        if rows or -1 not in shape:
            hold("Reshape", {}, [array, int32(*shape)])
    for axis in (0, 1, 2, -1, -3):
        hold("ExpandDims", {}, [array, np.array(axis, np.int32)])
    hold("Squeeze", {"squeeze_dims": []}, [array[:, None, :1]])
    hold("Squeeze", {"squeeze_dims": [1]}, [array[:, None]])
    hold("Squeeze", {"squeeze_dims": [-1]}, [array[..., None]])
    hold("Transpose", {}, [array, int32(1, 0)])
    hold("Transpose", {}, [array.reshape(rows, 2, 3), int32(2, 0, 1)])
    for out_type in ("int32", "int64"):
        hold("Shape", {"out_type": out_type}, [array])
    hold("ZerosLike", {}, [array])
    if kind != "string":
        hold("OnesLike", {}, [array])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), rows=sizes)
@many
def test_joining_and_parting_are_tensorflows(kind, data, rows):
    parts = [data.draw(values(kind, (rows, 4))) for _ in range(3)]
    for axis in (0, 1, -1):
        hold("ConcatV2", {}, [*parts, np.array(axis, np.int32)])
        hold("ConcatV2", {}, [parts[0], parts[1][:, :4], np.array(axis, np.int32)])
        hold("Pack", {"axis": axis}, parts)
    hold("Pack", {"axis": 0}, [np.array(part.size) for part in parts])
    hold("Tile", {}, [parts[0], int32(2, 3)])
    hold("BroadcastTo", {}, [parts[0], int32(2, rows, 4)])
    hold("Fill", {}, [int32(rows, 2), np.array(parts[0].size, np.int64)])


def test_strings_fill_and_numbers_follow_each_other_as_by_tensorflow():
    hold("Fill", {}, [int32(2, 2), np.array(b"ab", np.object_)])
    hold("Range", {}, [np.array(2), np.array(11), np.array(3)])
    hold("Range", {}, [np.float32(0), np.float32(1), np.float32(0.3)])


bound = st.integers(-8, 8)
MASKS = ("begin_mask", "end_mask", "shrink_axis_mask", "new_axis_mask", "ellipsis_mask")


@given(data=st.data(), begin=bound, end=bound, stride=st.sampled_from([1, 2, -1, -2]))
@settings(deadline=None, max_examples=60)
def test_slices_with_strides_are_tensorflows(data, begin, end, stride):
    array = np.arange(30).reshape(5, 6)
    masks = dict.fromkeys(MASKS, 0)
    masks["begin_mask"], masks["end_mask"] = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    hold("StridedSlice", masks, [array, int32(1, begin), int32(4, end), int32(1, stride)])
    row, column = data.draw(st.integers(-5, 4)), data.draw(st.integers(-6, 5))
    none = dict.fromkeys(MASKS, 0)
    one = int32(1, 1)
    hold("StridedSlice", none | {"shrink_axis_mask": 2, "begin_mask": 1, "end_mask": 1},
         [array, int32(0, column), int32(0, column + 1), one])  # fmt: skip
    hold("StridedSlice", none | {"shrink_axis_mask": 3}, [array, int32(row, column), int32(0, 0), one])
    hold("StridedSlice", none | {"new_axis_mask": 1, "begin_mask": 2, "end_mask": 2},
         [array, int32(0, 0), int32(0, 0), one])  # fmt: skip
    hold("StridedSlice", none | {"ellipsis_mask": 1, "new_axis_mask": 2},
         [array, int32(0, 0), int32(0, 0), one])  # fmt: skip
    size = data.draw(st.integers(-1, 3))
    hold("Slice", {}, [array, int32(1, 2), int32(size, 3)])


NUMBERS = ("float32", "int32", "int64")
REDUCED = {
    **dict.fromkeys(("Sum", "Prod", "Mean"), NUMBERS[1:]), "Max": NUMBERS, "Min": NUMBERS,
    "All": ("bool",), "Any": ("bool",),
}  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "kind"), [(name, kind) for name, kinds in REDUCED.items() for kind in kinds]
)
@given(data=st.data(), keep=st.booleans(), axis=st.sampled_from([0, 1, -1, [0], [0, 1], []]))
@many
def test_reductions_are_tensorflows(operation, kind, data, keep, axis):
    array = data.draw(values(kind, (data.draw(st.integers(1, 9)), 5)))
    hold(operation, {"keep_dims": keep}, [array, np.array(axis, np.int32)])


@pytest.mark.parametrize("operation", ["Sum", "Prod", "Mean"])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@given(data=st.data(), axis=st.sampled_from([0, 1, [0, 1]]))
@many
def test_sums_of_floats_are_tensorflows_to_their_rounding(operation, kind, data, axis):
    most = 4 if operation == "Prod" else 100
    limits = {"min_value": -most, "max_value": most, "special": True, "denormal": True}
    array = data.draw(values(kind, (data.draw(st.integers(1, 9)), 5), **limits))
    hold(operation, {"keep_dims": False}, [array, np.array(axis, np.int32)], absolute=1e-3)


@pytest.mark.parametrize("operation", ["ArgMax", "ArgMin"])
@given(data=st.data(), axis=st.sampled_from([0, 1, -1]), kind=st.sampled_from(["float32", "int64"]))
@many
def test_places_of_extremes_are_tensorflows(operation, data, axis, kind):
    limits = {"denormal": True} if kind == "float32" else {}
    array = data.draw(values(kind, data.draw(st.sampled_from([(3, 4), (2, 20)])), **limits))
    hold(operation, {"output_type": "int64"}, [array, np.array(axis, np.int32)])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), axis=st.sampled_from([0, 1, -1]))
@many
def test_taken_rows_are_tensorflows_and_places_outside_refused_alike(kind, data, axis):
    array = data.draw(values(kind, (3, 4)))
    shape = data.draw(st.sampled_from([(), (2,), (0,), (3, 2)]))
    places = data.draw(values("int64", shape, min_value=-2, max_value=4))
    hold("GatherV2", {"batch_dims": 0}, [array, places, np.array(axis, np.int32)])
    rows = data.draw(values("int32", (3, 2), min_value=-1, max_value=4))
    hold("GatherV2", {"batch_dims": 1}, [array, rows, np.array(1, np.int32)])


@given(data=st.data(), axis=st.sampled_from([-1, 0, 1]))
@many
def test_one_hot_is_tensorflows(data, axis):
    places = data.draw(values("int64", (data.draw(sizes),), min_value=-2, max_value=6))
    hold("OneHot", {"axis": axis}, [places, int32(5)[0], np.float32(1), np.float32(-0.5)])


def test_a_taken_part_stays_an_array_of_strings():
    """NumPy gives a bare string for one element, which has no shape."""
    text = np.array([b"a", b"b"], np.object_)
    found = make_operation("StridedSlice", dict.fromkeys(MASKS, 0) | {"shrink_axis_mask": 1})(
        text, int32(1), int32(2), int32(1)
    )
    assert_same(np.asarray(found), np.array(b"b", np.object_))
    assert isinstance(found, np.ndarray)

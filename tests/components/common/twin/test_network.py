"""Products of matrices, activations along rows, and look-ups against TensorFlow's own kernels."""

import pytest

pytest.importorskip("hypothesis")  # only the environment of development has it

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.common.errors import BadInputError
from components.common.twin.closed_list import OPERATIONS
from components.common.twin.operations import IMPLEMENTED, make_operation
from components.common.twin.program import Table
from tests.components.common.twin.hold import hold
from tests.components.common.twin.strategies import elements, values

many = settings(deadline=None, max_examples=20)
small = {"min_value": -8, "max_value": 8, "special": True}


def test_closed_list_and_what_is_implemented_are_the_same():
    assert frozenset(OPERATIONS) == IMPLEMENTED


def test_operation_outside_the_list_is_refused_by_name():
    with pytest.raises(BadInputError, match="RegexReplace"):
        make_operation("RegexReplace", {})


@given(data=st.data(), turned=st.tuples(st.booleans(), st.booleans()), rows=st.integers(0, 9))
@many
def test_products_of_matrices_are_tensorflows(data, turned, rows):
    left = data.draw(values("float32", (6, rows) if turned[0] else (rows, 6), **small))
    right = data.draw(values("float32", (3, 6) if turned[1] else (6, 3), **small))
    hold(
        "MatMul",
        dict(zip(("transpose_a", "transpose_b"), turned, strict=True)),
        [left, right],
        absolute=1e-3,
    )
    batch = dict(zip(("adj_x", "adj_y"), turned, strict=True))
    hold("BatchMatMulV2", batch, [np.stack([left, left]), right], absolute=1e-3)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("bmi,mio->bmo", [(5, 2, 3), (2, 3, 4)]), ("ij,jk->ik", [(5, 3), (3, 4)]),
        ("abc,cd->abd", [(2, 5, 3), (3, 4)]), ("ij,j->i", [(5, 3), (3,)]), ("ib,ib->b", [(3, 5), (3, 5)]),
        ("i,j->ji", [(3,), (4,)]), ("bmi,mio->bmo", [(0, 2, 3), (2, 3, 4)]),
    ],
)  # fmt: skip
@given(data=st.data())
@settings(deadline=None, max_examples=10)
def test_sums_of_products_are_tensorflows(equation, shapes, data):
    arrays = [data.draw(values("float32", shape, **small)) for shape in shapes]
    hold("Einsum", {"equation": equation}, arrays, absolute=1e-3)


@pytest.mark.parametrize("equation", ["ii,ij->j", "...i,ij->...j", "ij->i", "ij,jk->i", "ij,jk,kl->il"])
def test_sums_of_other_forms_are_refused_by_name(equation):
    with pytest.raises(BadInputError, match="Einsum"):
        make_operation("Einsum", {"equation": equation})


@pytest.mark.parametrize("operation", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("kind", ["float32", "float64"])
@given(data=st.data())
@many
def test_shares_of_logits_are_tensorflows(operation, kind, data):
    """Numbers that are none are left out of float32: what TensorFlow gives hangs on the classes' number."""
    special = (kind, operation) != ("float32", "Softmax")
    limits = {"min_value": -500, "max_value": 500, "special": special, "denormal": True}
    shape = data.draw(st.integers(0, 5)), data.draw(st.sampled_from([2, 4, 17]))
    hold(operation, {}, [data.draw(values(kind, shape, **limits))], absolute=1e-6)


@pytest.mark.parametrize("units", [1, 3, 20])
@given(data=st.data(), rows=st.integers(1, 5))
@many
def test_layers_are_tensorflows_with_numbers_that_are_none(units, data, rows):
    inputs = [data.draw(values("float32", shape, **small)) for shape in ((rows, 3), (3, units), (units,))]
    hold("_FusedMatMul", {"fused_ops": ["BiasAdd", "Relu"]}, inputs, absolute=1e-3)


BOUNDS = [-1.5, -0.0, 0.1, 1.0, 3e8]


@given(data=st.data())
@many
def test_buckets_are_tensorflows_at_their_bounds_and_beside_them(data):
    bounds = np.array(BOUNDS, np.float32)
    near = np.concatenate(
        [bounds, np.nextafter(bounds, np.float32(-9)), np.nextafter(bounds, np.float32(9e9))]
    )
    near = near[(near == 0) | (np.abs(near) > 1e-30)]  # the neighbours of 0 are denormal
    for kind in ("float32", "float64", "int32", "int64"):
        hold("Bucketize", {"boundaries": bounds.tolist()}, [data.draw(values(kind))])
    hold("Bucketize", {"boundaries": bounds.tolist()}, [near])
    rows = np.stack([bounds, bounds + 1])
    wanted = np.stack([near, data.draw(values("float32", near.shape))])
    for operation in ("LowerBound", "UpperBound"):
        for out_type in ("int32", "int64"):
            hold(operation, {"out_type": out_type}, [rows, wanted])


@pytest.mark.parametrize(("keys", "found"), [("string", "int64"), ("int64", "int64"), ("string", "float32"),
                                             ("int64", "string"), ("string", "string")])  # fmt: skip
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_entries_of_tables_are_tensorflows(keys, found, data):
    """More keys than 64, too, for which whole numbers are searched for otherwise."""
    known = data.draw(st.lists(elements(keys), min_size=1, max_size=6, unique=True))
    if found == "float32":
        stored = np.arange(len(known), dtype=np.float32)
    else:
        stored = data.draw(values(found, (len(known),)))
    default = np.zeros((), stored.dtype) if found != "string" else np.array(b"?", np.object_)
    table = Table(keys=_array(known, keys), values=stored)
    asked = _array(data.draw(st.lists(st.one_of(st.sampled_from(known), elements(keys)), max_size=9)), keys)
    asked = np.tile(asked, data.draw(st.sampled_from([1, 80])))
    hold("LookupTableFindV2", {}, [table, asked, default])


def _array(listed, kind):
    array = np.empty(len(listed), np.object_ if kind == "string" else kind)
    array[:] = listed
    return array

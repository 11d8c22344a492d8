"""Each elementwise operation against TensorFlow's own kernel, on property-based inputs."""

import pytest

pytest.importorskip("hypothesis")  # only the environment of development has it

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.components.common.twin.hold import hold
from tests.components.common.twin.strategies import several, values

FLOATS, INTEGERS = ("float32", "float64"), ("int32", "int64")
ALWAYS = (
    "Add AddV2 Sub Mul Maximum Minimum SquaredDifference Less LessEqual Greater GreaterEqual Equal NotEqual"
)
OF_FLOATS = """
Sqrt Rsqrt Reciprocal Exp Expm1 Log Log1p Atan Floor Ceil Rint Round IsFinite IsInf IsNan
Relu Relu6 Sigmoid Tanh Softplus Softsign
"""
OF_TWO = {
    **dict.fromkeys(ALWAYS.split(), FLOATS + INTEGERS),
    **dict.fromkeys(["MulNoNan", "RealDiv", "DivNoNan", "FloorDiv", "FloorMod", "Pow"], FLOATS),
    **dict.fromkeys(("LogicalAnd", "LogicalOr"), ("bool",)),
}
OF_ONE = {
    **dict.fromkeys(("Abs", "Neg", "Sign", "Square"), FLOATS + INTEGERS),
    **dict.fromkeys(OF_FLOATS.split(), FLOATS),
    "LogicalNot": ("bool",),
}


def pairs(table):
    return [(name, kind) for name, kinds in table.items() for kind in kinds]


@pytest.mark.parametrize(("operation", "kind"), pairs(OF_ONE))
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_operation_of_one_is_tensorflows(operation, kind, data):
    hold(operation, {}, [data.draw(values(kind))])


@pytest.mark.parametrize(("operation", "kind"), pairs(OF_TWO))
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_operation_of_two_is_tensorflows(operation, kind, data):
    hold(operation, {}, data.draw(several(kind, kind)))


COUNT_NOT = """
Less LessEqual Greater GreaterEqual Equal NotEqual AddV2 Maximum Minimum
Mul MulNoNan RealDiv DivNoNan FloorDiv FloorMod
"""


@pytest.mark.parametrize("operation", COUNT_NOT.split())
@pytest.mark.parametrize("kind", FLOATS)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_denormals_count_for_nothing_in_two_as_in_tensorflow(operation, kind, data):
    hold(operation, {}, data.draw(several(kind, kind, denormal=True)))


@pytest.mark.parametrize(
    "operation", ["Floor", "Ceil", "Sign", "Abs", "Neg", "Relu", "Round", "Sqrt", "Rsqrt", "Reciprocal"]
)
@pytest.mark.parametrize("kind", FLOATS)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_denormals_count_for_nothing_in_one_as_in_tensorflow(operation, kind, data):
    hold(operation, {}, [data.draw(values(kind, denormal=True))])


@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_denormals_are_cast_and_sorted_into_buckets_as_by_tensorflow(data):
    numbers = data.draw(values("float32", denormal=True))
    for kind in ("bool", "int32", "int64", "float64"):
        hold("Cast", {"DstT": kind}, [numbers])
    hold("Bucketize", {"boundaries": [-1.0, 0.0, 2.0]}, [numbers])
    for operation in ("LowerBound", "UpperBound"):
        hold(operation, {"out_type": "int32"}, [np.float32([[-1, 0, 2]]), numbers.reshape(1, -1)])


@pytest.mark.parametrize("operation", ["Equal", "NotEqual"])
@pytest.mark.parametrize("kind", ["string", "bool"])
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_strings_and_booleans_are_compared_as_by_tensorflow(operation, kind, data):
    hold(operation, {}, data.draw(several(kind, kind)))


@pytest.mark.parametrize("operation", ["Elu", "Selu"])
@pytest.mark.parametrize("kind", FLOATS)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_exponential_units_are_tensorflows_to_their_rounding_near_0(operation, kind, data):
    hold(operation, {}, [data.draw(values(kind))], absolute=2e-7)


@pytest.mark.parametrize("operation", ["Elu", "Selu"])
def test_exponential_units_of_one_value_are_tensorflows_to_their_last_digits_near_0(operation):
    """Of several at once TensorFlow's own are off by a unit in the last place of 1 in places."""
    for value in -np.geomspace(1e-8, 10, 300):
        hold(operation, {}, [np.array([value], np.float32)])


@pytest.mark.parametrize("kind", FLOATS)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_error_function_is_tensorflows_where_that_has_one(kind, data):
    """Beyond, TensorFlow's of float64 is NaN in places."""
    hold("Erf", {}, [data.draw(values(kind, min_value=-30, max_value=30))])
    hold("Erfc", {}, [data.draw(values(kind, min_value=-9, max_value=9))])


@pytest.mark.parametrize("operation", ["Sin", "Cos", "Tan"])
@pytest.mark.parametrize("kind", FLOATS)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_angles_up_to_ten_thousand_are_tensorflows(operation, kind, data):
    hold(operation, {}, [data.draw(values(kind, min_value=-1e4, max_value=1e4))], absolute=1e-6)


@pytest.mark.parametrize("operation", ["FloorDiv", "FloorMod", "Pow"])
@pytest.mark.parametrize("kind", INTEGERS)
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_whole_numbers_are_divided_and_raised_as_by_tensorflow_and_refused_alike(operation, kind, data):
    """The smallest number by −1 is left out: TensorFlow's process ends of it."""
    low = int(np.iinfo(kind).min) + 1
    left, right = data.draw(several(kind, kind, min_value=low))
    hold(operation, {}, [left, right % 60 - 4 if operation == "Pow" else right])


@pytest.mark.parametrize("kind", [*FLOATS, *INTEGERS, "string", "bool"])
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_choice_by_a_condition_is_tensorflows(kind, data):
    yes, no = data.draw(several(kind, kind))
    condition = data.draw(values("bool", np.broadcast_shapes(yes.shape, no.shape)))
    hold("SelectV2", {}, [condition, yes, no])
    spread = [np.broadcast_to(each, condition.shape) for each in (yes, no)]
    hold("Select", {}, [condition, *spread])
    hold("Select", {}, [data.draw(values("bool", condition.shape[:1])), *spread])
    hold("Select", {}, [np.array(True), *spread])


@pytest.mark.parametrize("kind", [*FLOATS, *INTEGERS])
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_sums_of_several_and_bounds_are_tensorflows(kind, data):
    shape = data.draw(st.tuples(st.integers(0, 20)))
    parts = [data.draw(values(kind, shape)) for _ in range(3)]
    hold("AddN", {}, parts)
    low, high = sorted(data.draw(values(kind, (2,), **({} if kind in INTEGERS else {"allow_nan": False}))))
    hold("ClipByValue", {}, [parts[0], np.array(low, kind), np.array(high, kind)])


@pytest.mark.parametrize("to", [*FLOATS, *INTEGERS, "bool"])
@pytest.mark.parametrize("kind", [*FLOATS, *INTEGERS, "bool", "uint8"])
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_casts_are_tensorflows_with_what_fits_no_whole_number_among_them(kind, to, data):
    hold("Cast", {"DstT": to}, [data.draw(values(kind))])


@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_cast_to_bytes_takes_what_fits(data):
    hold("Cast", {"DstT": "uint8"}, [data.draw(values("int64", min_value=0, max_value=255))])
    hold("Cast", {"DstT": "uint8"}, [data.draw(values("float32", min_value=0, max_value=255))])


@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_leaky_relu_is_tensorflows(data):
    hold(
        "LeakyRelu", {"alpha": data.draw(st.sampled_from([0.0, 0.2, 1.0]))}, [data.draw(values("float32"))]
    )

"""Every operation of the closed list at the edges of its types, against TensorFlow's own kernels.

The other files draw inputs; here each operation must have its case, so that none comes without a test.
"""

import pytest

pytest.importorskip("hypothesis")  # only the environment of development, whose TensorFlow is meant, has it

import numpy as np

from components.common.twin.closed_list import OPERATIONS
from components.common.twin.program import Table
from tests.components.common.twin.hold import hold

FLOATS, INTEGERS = ("float32", "float64"), ("int32", "int64")
NUMBERS = (*FLOATS, *INTEGERS)
KINDS = (*NUMBERS, "bool", "string")


def texts(*strings):
    array = np.empty(len(strings), np.object_)
    array[:] = strings
    return array


def edges(kind):
    if kind == "string":
        far = "ÄÖ ß".encode(), "東京".encode(), b"\xff\xfe", b"\xc2\xa0"
        return texts(b"", b"\0", b" a\tB\n", *far, b"z" * 90, b"-1.5")
    if kind == "bool":
        return np.array([False, True])
    if kind == "uint8":
        return np.arange(256, dtype=kind)
    if kind in INTEGERS:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        return np.array([low, low + 1, -7, -1, 0, 1, 2, 60, high - 1, high], kind)
    limits = np.finfo(kind)
    small = [0.0, limits.smallest_subnormal, limits.tiny / 2, limits.tiny]
    above = np.array([*small, 0.5, 1.0, 1.5, 60.0, limits.max, np.inf])
    return np.array([*above, *-above, np.nan], kind)


def sides(kind):
    """Each edge beside each, as two arrays."""
    return [np.repeat(edges(kind), len(edges(kind))), np.tile(edges(kind), len(edges(kind)))]


def pairs(kind):
    return np.stack(sides(kind), axis=1)


def bounded(kind, most=1e4):
    found = edges(kind)
    return found[(np.abs(found) <= most) | np.isnan(found)]


def finite_tops(kind):
    """Logits of whose shares TensorFlow's answer does not hang on the number of classes."""
    return pairs(kind)[(pairs(kind) < np.inf).all(axis=1)]


def divided(kind):
    """Without what TensorFlow's process ends of, and without 0, which it refuses."""
    left, right = sides(kind)
    kept = (right != 0) & ((left != np.iinfo(kind).min) | (right != -1))
    return [left[kept], right[kept]]


def numbers(*values):
    return np.array(values, np.int32)


def scalar(value, kind="int32"):
    return np.array(value, kind)


def each(kinds, inputs, **attributes):
    return tuple((attributes, inputs(kind)) for kind in kinds)


def one(*kinds, **attributes):
    return each(kinds, lambda kind: [edges(kind)], **attributes)


def two(*kinds, **attributes):
    return each(kinds, sides, **attributes)


def along(*kinds, **attributes):
    return tuple(
        case
        for axis in (1, -1)
        for case in each(kinds, lambda kind, axis=axis: [pairs(kind), scalar(axis)], **attributes)
    )


def alike(names, cases):
    return dict.fromkeys(names.split(), cases)


WEIGHTS = np.float32([[1, 0.5, 0], [-1, 2, 1]])
MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
FORM = {"precision": -1, "scientific": False, "shortest": False, "width": -1, "fill": ""}
REALS = texts(b"1e-40", b"-1e-310", b"3.4028236e38", b"-inf", b"NaN", b"1e999", b"-0")
WHOLES = texts(b"-9223372036854775808", b" 2147483647 ", b"+0")
NAMED = Table(keys=edges("string"), values=np.arange(9))
MANY = np.union1d(edges("int64"), np.arange(-100, 100))  # more than are looked up one by one
PLACED = Table(keys=MANY[::2], values=np.resize(edges("string"), len(MANY[::2])))
UNKNOWN = scalar(b"?", object)

CASES = {
    **alike("Add AddV2 Sub Mul AddN SquaredDifference Maximum Minimum", two(*NUMBERS)),
    **alike("Less LessEqual Greater GreaterEqual", two(*NUMBERS)),
    **alike("Equal NotEqual", two(*KINDS)),
    **alike("RealDiv DivNoNan MulNoNan Pow", two(*FLOATS)),
    **alike("FloorDiv FloorMod", two(*FLOATS) + each(INTEGERS, divided)),
    **alike("LogicalAnd LogicalOr", two("bool")),
    **alike("Abs Neg Sign Square", one(*NUMBERS)),
    **alike("Sqrt Rsqrt Reciprocal Exp Expm1 Log Log1p Atan Erfc", one(*FLOATS)),
    **alike("Floor Ceil Round Rint IsFinite IsInf IsNan", one(*FLOATS)),
    **alike("Relu Relu6 Elu Selu Sigmoid Tanh Softplus Softsign", one(*FLOATS)),
    **alike("Sin Cos Tan", each(FLOATS, lambda kind: [bounded(kind)])),
    "LogSoftmax": each(FLOATS, lambda kind: [pairs(kind)]),
    "Softmax": (({}, [pairs("float64")]), ({}, [finite_tops("float32")])),
    **alike("Sum Prod Mean Max Min", along(*NUMBERS, keep_dims=False)),
    **alike("All Any", along("bool", keep_dims=True)),
    **alike("ArgMax ArgMin", along(*NUMBERS, output_type="int32")),
    **alike("StringLower StringUpper", one("string", encoding="")),
    **alike("LowerBound UpperBound", each(
        NUMBERS, lambda kind: [np.sort(edges(kind))[None, ::3], edges(kind)[None]], out_type="int32"
    )),
    "Erf": (*one("float32"), ({}, [bounded("float64", 1e154)])),  # beyond, TensorFlow has NaN
    "LogicalNot": one("bool"),
    "LeakyRelu": one(*FLOATS, alpha=0.25),
    "ClipByValue": each(NUMBERS, lambda kind: [edges(kind), scalar(-1, kind), scalar(1, kind)]),
    "Cast": sum((one(*NUMBERS, "bool", "uint8", DstT=to) for to in (*NUMBERS, "bool")), ()),
    "Select": each(KINDS, lambda kind: [edges(kind) == edges(kind)[1], edges(kind), edges(kind)[::-1]]),
    "SelectV2": each(KINDS, lambda kind: [edges(kind) == edges(kind)[1], edges(kind), edges(kind)[:1]]),
    "MatMul": (({"transpose_a": False, "transpose_b": False}, [pairs("float32"), WEIGHTS]),),
    "BatchMatMulV2": (({"adj_x": False, "adj_y": False}, [pairs("float32"), WEIGHTS]),),
    "Einsum": (({"equation": "bi,io->bo"}, [pairs("float32"), WEIGHTS]),),
    "_FusedMatMul": (
        ({"fused_ops": ["BiasAdd", "Relu"]}, [pairs("float32"), WEIGHTS, np.float32([0, 1, -1])]),
    ),
    "Reshape": each(KINDS, lambda kind: [edges(kind), numbers(1, -1)]),
    "ExpandDims": each(KINDS, lambda kind: [edges(kind), scalar(-1)]),
    "ConcatV2": each(KINDS, lambda kind: [edges(kind), edges(kind)[::-1], scalar(0)]),
    "Tile": each(KINDS, lambda kind: [edges(kind), numbers(2)]),
    "Transpose": each(KINDS, lambda kind: [pairs(kind), numbers(1, 0)]),
    "Slice": each(KINDS, lambda kind: [pairs(kind), numbers(1, 0), numbers(-1, 1)]),
    "Fill": each(KINDS, lambda kind: [numbers(2, 3), edges(kind)[-1:].reshape(())]),
    "ZerosLike": one(*KINDS),
    "OnesLike": one(*NUMBERS, "bool"),
    "BroadcastTo": each(KINDS, lambda kind: [edges(kind), numbers(2, len(edges(kind)))]),
    "Range": each(NUMBERS, lambda kind: [scalar(-3, kind), scalar(9, kind), scalar(4, kind)]),
    "Squeeze": each(KINDS, lambda kind: [edges(kind)[None]], squeeze_dims=[0]),
    "Shape": one("string", "float32", out_type="int64"),
    "Pack": each(KINDS, sides, axis=1),
    "StridedSlice": each(
        KINDS, lambda kind: [edges(kind), numbers(-1), numbers(0), numbers(-2)], **dict.fromkeys(MASKS, 0)
    ),
    "GatherV2": each(KINDS, lambda kind: [edges(kind), numbers(1, 0, 1), scalar(0)], batch_dims=0),
    "OneHot": each(
        INTEGERS, lambda kind: [edges(kind), scalar(3), np.float32(np.nan), np.float32(-np.inf)], axis=-1
    ),
    "Bucketize": one(*NUMBERS, boundaries=[-1.0, 0.0, 1.0, 1.5]),
    "LookupTableFindV2": (
        ({}, [NAMED, edges("string"), scalar(-1, "int64")]),
        ({}, [PLACED, MANY, UNKNOWN]), ({}, [PLACED, MANY[:20], UNKNOWN]),
    ),
    "StringStrip": one("string"),
    "StringLength": one("string", unit="BYTE") + one("string", unit="UTF8_CHAR"),
    "Substr": each((0, 1, -1), lambda start: [edges("string")[1:], scalar(start), scalar(-1)], unit="BYTE"),
    "StringJoin": two("string", separator="ä"),
    "AsString": one(*NUMBERS, "bool", **FORM) + one(*FLOATS, **FORM | {"width": 1000, "precision": 1000}),
    "StringToNumber": (
        *(({"out_type": kind}, [REALS]) for kind in FLOATS), ({"out_type": "int64"}, [WHOLES])
    ),
    "StringToHashBucketFast": one("string", num_buckets=2**63 - 1),
    "DecodePaddedRaw": tuple(
        ({"out_type": "int32", "little_endian": little}, [edges("string"), scalar(92)])
        for little in (True, False)
    ),
}  # fmt: skip


def test_every_operation_has_its_case():
    assert CASES.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_is_tensorflows_at_the_edges(operation):
    for attributes, inputs in CASES[operation]:
        assert attributes.keys() == set(OPERATIONS[operation])
        hold(operation, attributes, inputs, absolute=1e-37)  # a weight times what is taken for 0

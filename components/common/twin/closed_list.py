"""The operations that a twin's program may use, by TensorFlow's names; docs/twin.md says what each does."""

from __future__ import annotations

from collections.abc import Mapping

_PLAIN = """
Add AddV2 AddN Sub Mul MulNoNan RealDiv DivNoNan FloorDiv FloorMod Pow Maximum Minimum SquaredDifference
ClipByValue Abs Neg Sign Square Sqrt Rsqrt Reciprocal Exp Expm1 Log Log1p Sin Cos Tan Atan Floor Ceil Round
Rint Erf Erfc
Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalNot IsFinite IsInf IsNan
Select SelectV2
Relu Relu6 Elu Selu Sigmoid Tanh Softplus Softsign Softmax LogSoftmax
Reshape ExpandDims ConcatV2 Tile Transpose Slice Fill ZerosLike OnesLike BroadcastTo Range
StringStrip LookupTableFindV2
"""

_WITH_ATTRIBUTES = {
    "All": ("keep_dims",),
    "Any": ("keep_dims",),
    "ArgMax": ("output_type",),
    "ArgMin": ("output_type",),
    "AsString": ("precision", "scientific", "shortest", "width", "fill"),
    "BatchMatMulV2": ("adj_x", "adj_y"),
    "Bucketize": ("boundaries",),
    "Cast": ("DstT",),
    "DecodePaddedRaw": ("out_type", "little_endian"),
    "Einsum": ("equation",),
    "GatherV2": ("batch_dims",),
    "LeakyRelu": ("alpha",),
    "LowerBound": ("out_type",),
    "MatMul": ("transpose_a", "transpose_b"),
    "Max": ("keep_dims",),
    "Mean": ("keep_dims",),
    "Min": ("keep_dims",),
    "OneHot": ("axis",),
    "Pack": ("axis",),
    "Prod": ("keep_dims",),
    "Shape": ("out_type",),
    "Squeeze": ("squeeze_dims",),
    "StridedSlice": ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"),
    "StringJoin": ("separator",),
    "StringLength": ("unit",),
    "StringLower": ("encoding",),
    "StringToHashBucketFast": ("num_buckets",),
    "StringToNumber": ("out_type",),
    "StringUpper": ("encoding",),
    "Substr": ("unit",),
    "Sum": ("keep_dims",),
    "UpperBound": ("out_type",),
    "_FusedMatMul": ("fused_ops",),
}

OPERATIONS: Mapping[str, tuple[str, ...]] = dict(
    sorted({**dict.fromkeys(_PLAIN.split(), ()), **_WITH_ATTRIBUTES}.items())
)
"""Names of the attributes that a step must carry, by operation; TensorFlow's others do not change answers.

Who adds one adds its implementation, its row in docs/twin.md, and its conformance test.
"""

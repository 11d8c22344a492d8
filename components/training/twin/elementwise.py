"""Which operations of the closed list compute each entry by itself."""

from __future__ import annotations

_NAMES = """
Add AddV2 Sub Mul MulNoNan RealDiv DivNoNan FloorDiv FloorMod Pow Maximum Minimum SquaredDifference
ClipByValue Abs Neg Sign Square Sqrt Rsqrt Reciprocal Exp Expm1 Log Log1p Sin Cos Tan Atan Floor Ceil Round
Rint Erf Erfc Cast Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalNot
IsFinite IsInf IsNan SelectV2 Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Softsign
"""

ELEMENTWISE = frozenset(_NAMES.split())
"""What holds for one entry holds for many: columns are computed side by side, and tables beforehand."""

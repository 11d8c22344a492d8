"""Operations as TensorFlow's optimiser rewrites them before it serves, where answers hang on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from components.common.saved_models import import_tensorflow

tf: Any = import_tensorflow()

_ALIASES = ("Identity", "StopGradient")
_SUMS = ("Add", "AddV2")


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What stands in the place of an operation of a graph, and is read as one.

    Attributes:
        type: TensorFlow's name of what is computed.
        inputs: The tensors that it takes.
        outputs: Those of the operation in whose place it stands.
        node_def: The attributes, as that operation has them.
        op_def: Says whether it has a state.
        get_attr: Reads an attribute.
    """

    type: str
    inputs: tuple[Any, ...]
    outputs: Any
    node_def: Any
    op_def: Any
    get_attr: Any


def rewrite(operations: Iterable[Any]) -> list[Any]:
    """Return the operations of a frozen graph as they are computed when it is served.

    TensorFlow makes `Log1p` of log(x + 1), and `Expm1` of exp(x) − 1. Near 0 these are other numbers.
    """
    return [_rewrite(operation) for operation in operations]


def _rewrite(operation: Any) -> Any:
    if operation.type == "Log":
        total = _follow(operation.inputs[0])
        places = ((0, 1), (1, 0)) if total.type in _SUMS else ()
        for kept, ones in places:
            if _is_plus_ones(total.inputs[kept], total.inputs[ones]):
                return _replace(operation, "Log1p", total.inputs[kept])
    if operation.type == "Sub":
        power, ones = _follow(operation.inputs[0]), operation.inputs[1]
        if power.type == "Exp" and _is_plus_ones(power.outputs[0], ones):
            return _replace(operation, "Expm1", power.inputs[0])
    return operation


def _follow(tensor: Any) -> Any:
    """Return the operation that computes a tensor, behind those that change nothing."""
    while tensor.op.type in _ALIASES:
        tensor = tensor.op.inputs[0]
    return tensor.op


def _is_plus_ones(kept: Any, ones: Any) -> bool:
    """Return whether one tensor is a constant of ones that leaves the shape of the other as it is.

    A variable that holds ones is none: it is behind an `Identity` here, and read anew when it is served.
    """
    if ones.op.type != "Const" or kept.shape.rank is None or ones.shape.rank > kept.shape.rank:
        return False
    pairs = zip(reversed(ones.shape.as_list()), reversed(kept.shape.as_list()), strict=False)
    same = all(one in (1, other) for one, other in pairs)
    return same and bool((tf.make_ndarray(ones.op.get_attr("value")) == 1).all())


def _replace(operation: Any, kind: str, *inputs: Any) -> Rewritten:
    return Rewritten(
        type=kind, inputs=inputs, outputs=operation.outputs, node_def=operation.node_def,
        op_def=operation.op_def, get_attr=operation.get_attr,
    )  # fmt: skip

"""Operations as TensorFlow's optimiser rewrites them before it serves, where answers hang on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from components.common.saved_models import import_tensorflow

tf: Any = import_tensorflow()

_ALIASES = ("Identity", "StopGradient")
_SUMS = ("Add", "AddV2")
_OPPOSITES = {
    "Less": "GreaterEqual", "LessEqual": "Greater", "Greater": "LessEqual", "GreaterEqual": "Less",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """What stands in the place of an operation of a graph, and is read as one.

    Attributes:
        type: TensorFlow's name of what is computed.
        inputs: The tensors that it takes.
        outputs: Those of the operation in whose place it stands.
        node_def: The attributes, of an operation that has the same.
        op_def: Says whether that one has a state.
        get_attr: Reads an attribute.
    """

    type: str
    inputs: tuple[Any, ...]
    outputs: Any
    node_def: Any
    op_def: Any
    get_attr: Any


def rewrite(operations: Sequence[Any], outputs: Iterable[Any]) -> list[Any]:
    """Return the operations of a frozen graph as they are computed when it is served.

    TensorFlow makes `Log1p` of log(x + 1), and `Expm1` of exp(x) − 1; near 0 these are other numbers.
    Where nothing else takes what is between, it makes `LogSoftmax` of the logarithm of a softmax, and
    the opposite comparison of one that is denied, which of NaN is another answer.

    Args:
        operations: In an order in which they can be computed.
        outputs: Tensors that the graph answers with.
    """
    shared = _find_shared(operations, outputs)
    return [_rewrite(operation, shared) for operation in operations]


def _rewrite(operation: Any, shared: set[str]) -> Any:
    if operation.type not in ("Log", "Sub", "LogicalNot"):
        return operation
    taken = _follow(operation.inputs[0])
    if operation.type == "Log" and taken.type in _SUMS:
        for kept, ones in (taken.inputs, taken.inputs[::-1]):
            if _is_plus_ones(kept, ones) and not _is_reordered(_follow(kept), shared):
                return _replace(operation, "Log1p", [kept], operation)
    is_power = operation.type == "Sub" and taken.type == "Exp"
    if is_power and _is_plus_ones(taken.outputs[0], operation.inputs[1]):
        return _replace(operation, "Expm1", taken.inputs, operation)
    if taken.name in shared:
        return operation
    if operation.type == "Log" and taken.type == "Softmax":
        return _replace(operation, "LogSoftmax", taken.inputs, taken)
    if operation.type == "LogicalNot" and taken.type in _OPPOSITES:
        return _replace(operation, _OPPOSITES[taken.type], taken.inputs, taken)
    return operation


def _find_shared(operations: Sequence[Any], outputs: Iterable[Any]) -> set[str]:
    """Return the names of operations that several take, or the graph answers with; equal ones are one."""
    kinds: dict[str, object] = {}  # of a tensor: what it is computed by, and of what
    takers: dict[object, set[object]] = {}
    numbers: dict[object, int] = {}
    for operation in operations:
        taken = tuple(kinds[tensor.name] for tensor in operation.inputs)
        if operation.type in _ALIASES:
            kinds[operation.outputs[0].name] = taken[0]
            continue
        attributes = operation.node_def.attr
        told = sorted((name, one.SerializeToString(deterministic=True)) for name, one in attributes.items())
        alone = operation.op_def.is_stateful or operation.type == "Placeholder"
        key = (operation.name,) if alone else (operation.type, taken, tuple(told))
        kind = numbers.setdefault(key, len(numbers))
        for tensor in operation.outputs:
            kinds[tensor.name] = kind, tensor.value_index
        for one in taken:
            takers.setdefault(one, set()).add(kind)
    for tensor in outputs:
        takers.setdefault(kinds[tensor.name], set()).add("the answer")
    return {
        operation.name
        for operation in operations
        if any(len(takers.get(kinds[tensor.name], ())) > 1 for tensor in operation.outputs)
    }


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


def _is_reordered(operation: Any, shared: set[str]) -> bool:
    """Return whether it is a sum whose order TensorFlow changes: (x + y) + 1 becomes (1 + x) + y."""
    return operation.type in (*_SUMS, "Sub") and operation.name not in shared


def _replace(operation: Any, kind: str, inputs: Iterable[Any], like: Any) -> Rewritten:
    """Put an operation of a kind in the place of another, with the attributes of one that has them."""
    return Rewritten(
        type=kind, inputs=tuple(inputs), outputs=operation.outputs, node_def=like.node_def,
        op_def=like.op_def, get_attr=like.get_attr,
    )  # fmt: skip

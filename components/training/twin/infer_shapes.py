"""Shapes that TensorFlow forgets when it freezes a graph, since it does not know what tables give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.common.twin.program import Attribute
from components.training.twin.elementwise import ELEMENTWISE
from components.training.twin.values import Shape, Value


def infer_shape(
    operation: str, inputs: Sequence[Value], attributes: Mapping[str, Attribute]
) -> Shape | None:
    """Return the shape of an operation's value, as far as it follows from those of its inputs."""
    shapes = [one.shape for one in inputs]
    if operation == "LookupTableFindV2":
        return shapes[1]
    if operation in ("ZerosLike", "OnesLike"):
        return shapes[0]
    if operation in ELEMENTWISE:
        return broadcast(shapes)
    if operation == "Pack" and attributes["axis"] == 1 and all(one == (None,) for one in shapes):
        return None, len(shapes)
    return None


def broadcast(shapes: Sequence[Shape | None]) -> Shape | None:
    """Return the shape of arrays that are broadcast together; None when one is not known."""
    known = [one for one in shapes if one is not None]
    if len(known) < len(shapes):
        return None
    rank = max(map(len, known))
    padded = [(1,) * (rank - len(one)) + one for one in known]
    return tuple(next((one for one in axis if one != 1), 1) for axis in zip(*padded, strict=True))

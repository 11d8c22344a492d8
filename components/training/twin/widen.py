"""Widening: columns that are computed alike become the columns of one array, computed in one step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.training.twin.elementwise import ELEMENTWISE
from components.training.twin.values import Maker, Shape, Value

_FEWEST = 3  # columns that are worth the steps of putting an array together from several


def widen_columns(maker: Maker, value: Value) -> Value | None:
    """A `Pack` of columns that are computed alike: that operation of a `Pack` of what they take."""
    if value.operation != "Pack" or value.attributes["axis"] != 1 or not _are_columns(value.inputs):
        return None
    groups: dict[object, list[int]] = {}
    for place, lane in enumerate(value.inputs):
        groups.setdefault(_likeness(lane), []).append(place)
    rest = groups.pop(None, [])
    fewest = 2 if len(groups) == 1 and not rest else _FEWEST
    worth = {key: _are_worth(value, places, fewest) for key, places in groups.items()}
    wide = [places for key, places in groups.items() if worth[key]]
    few = [places for key, places in groups.items() if not worth[key]]
    rest = sorted(sum(few, rest))
    if not wide:
        return None
    parts = [_compute_wide(maker, [value.inputs[place] for place in places]) for places in wide]
    if rest:
        parts.append(_pack(maker, [value.inputs[place] for place in rest]))
    order = [place for places in [*wide, rest] for place in places]
    return _reorder(maker, _join(maker, parts, value.shape), order)


def _are_columns(lanes: Sequence[Value]) -> bool:
    return len(lanes) > 1 and all(lane.is_column for lane in lanes)


def _are_worth(value: Value, places: Sequence[int], fewest: int) -> bool:
    distinct = len({value.inputs[place] for place in places})
    return distinct >= fewest and 2 * distinct > len(places)  # what is there once is not computed twice


def _likeness(lane: Value) -> object:
    """Return what lanes must share to be computed together; None for those that are not."""
    known = [one.is_scalar for one in lane.inputs]
    if lane.operation not in ELEMENTWISE or not all(
        scalar or one.is_column for scalar, one in zip(known, lane.inputs, strict=True)
    ):
        return None
    types = tuple(one.dtype for one in lane.inputs)
    return lane.operation, repr(sorted(lane.attributes.items())), tuple(known), types


def _compute_wide(maker: Maker, lanes: Sequence[Value]) -> Value:
    first, operands = lanes[0], zip(*(lane.inputs for lane in lanes), strict=True)
    inputs = [_lay_side_by_side(maker, operand) for operand in operands]
    return maker.make(
        first.operation, inputs, dtype=first.dtype, shape=(None, len(lanes)), **first.attributes
    )


def _lay_side_by_side(maker: Maker, operands: Sequence[Value]) -> Value:
    first, alike = operands[0], all(one is operands[0] for one in operands)
    if first.is_constant:
        return first if alike else maker.constant(np.stack([one.data for one in operands]))
    if not alike:
        return _pack(maker, operands)
    column = maker.constant(np.array([-1, 1], np.int32))
    return maker.make("Reshape", [first, column], dtype=first.dtype, shape=(None, 1))


def _pack(maker: Maker, lanes: Sequence[Value]) -> Value:
    return maker.make("Pack", lanes, dtype=lanes[0].dtype, shape=(None, len(lanes)), axis=1)


def _join(maker: Maker, parts: Sequence[Value], shape: Shape | None) -> Value:
    if len(parts) == 1:
        return parts[0]
    axis = maker.constant(np.array(1, np.int32))
    return maker.make("ConcatV2", [*parts, axis], dtype=parts[0].dtype, shape=shape)


def _reorder(maker: Maker, joined: Value, order: Sequence[int]) -> Value:
    """Return columns that lie in an order as they were."""
    if list(order) == sorted(order):
        return joined
    positions = maker.constant(np.argsort(order).astype(np.int32))
    axis = maker.constant(np.array(1, np.int32))
    return maker.make(
        "GatherV2", [joined, positions, axis], dtype=joined.dtype, shape=joined.shape, batch_dims=0
    )

"""Operations on the form of arrays: reshaping, joining, taking parts, and summing up along an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from components.common.twin.kinds import (
    Attributes,
    Maker,
    Operation,
    OperationError,
    Values,
    array_type,
    flush,
)

_UNSIGNED = {"int32": np.uint32, "int64": np.uint64}  # where what is below 0 is beyond any size


def _reshape(values: Values, shape: Values) -> Values:
    return values.reshape(shape.tolist())


def _expand_dims(values: Values, axis: Values) -> Values:
    return np.expand_dims(values, int(axis))


def _concat(*parts: Values) -> Values:
    return np.concatenate(parts[:-1], axis=int(parts[-1]))


def _tile(values: Values, repeats: Values) -> Values:
    return np.tile(values, repeats.tolist())


def _transpose(values: Values, order: Values) -> Values:
    return values.transpose(order.tolist())


def _slice(values: Values, begin: Values, size: Values) -> Values:
    parts = zip(begin.tolist(), size.tolist(), strict=True)
    return values[tuple(slice(start, None if count < 0 else start + count) for start, count in parts)]


def _fill(shape: Values, value: Values) -> Values:
    filled = np.empty(shape.tolist(), value.dtype)
    filled[...] = value
    return filled


def _zeros_like(values: Values) -> Values:
    if values.dtype == np.object_:
        return np.full(values.shape, b"", np.object_)
    return np.zeros(values.shape, values.dtype)


def _ones_like(values: Values) -> Values:
    return np.ones(values.shape, values.dtype)


def _broadcast_to(values: Values, shape: Values) -> Values:
    return np.broadcast_to(values, shape.tolist())


def _range(start: Values, limit: Values, step: Values) -> Values:
    return np.arange(start.item(), limit.item(), step.item(), dtype=start.dtype)


def _mean(values: Values, *, axis: Any, keepdims: bool, dtype: Any) -> Values:
    if values.dtype.kind == "f":
        return np.mean(values, axis=axis, keepdims=keepdims, dtype=dtype)
    total = np.asarray(np.sum(values, axis=axis, keepdims=keepdims, dtype=np.int64))
    count = values.size // max(total.size, 1)
    floor = total // count
    return np.where((total < 0) & (floor * count != total), floor + 1, floor).astype(dtype)


def _prod(values: Values, **settings: Any) -> Values:
    return np.prod(flush(values), **settings)


_REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "All": np.all, "Any": np.any, "Max": np.max, "Mean": _mean, "Min": np.min, "Prod": _prod,
    "Sum": np.sum,
}  # fmt: skip


def _reduction(name: str) -> Maker:
    function = _REDUCTIONS[name]
    typed = name in ("Mean", "Prod", "Sum")  # NumPy would sum int32 as int64

    def make(attributes: Attributes) -> Operation:
        keep = bool(attributes["keep_dims"])

        def reduce(values: Values, axis: Values) -> Values:
            along = tuple(axis.tolist()) if axis.ndim else int(axis)
            named = {"dtype": values.dtype} if typed else {}
            return function(values, axis=along, keepdims=keep, **named)

        return reduce

    return make


def _arg_max(values: Values, axis: int) -> Values:
    """Return the place of the largest; a NaN is as good as the least finite number."""
    if values.dtype.kind == "f":
        values = np.fmax(flush(values), np.finfo(values.dtype).min)
    return np.argmax(values, axis)


def _arg_min(values: Values, axis: int) -> Values:
    if values.dtype.kind == "f":
        values = np.fmin(flush(values), np.finfo(values.dtype).max)
    return np.argmin(values, axis)


def _extreme(function: Callable[[Values, int], Values]) -> Maker:
    def make(attributes: Attributes) -> Operation:
        kind = array_type(attributes["output_type"])

        def find(values: Values, axis: Values) -> Values:
            return function(values, int(axis)).astype(kind)

        return find

    return make


def _gather(attributes: Attributes) -> Operation:
    batch = int(attributes["batch_dims"])

    def gather(values: Values, places: Values, axis: Values) -> Values:
        along = int(axis) % values.ndim
        if places.size and places.view(_UNSIGNED[places.dtype.name]).max() >= values.shape[along]:
            raise OperationError("a place outside the table")
        if batch:
            return _gather_each(values, places, along, batch % (places.ndim + 1))
        return values.take(places, axis=along)

    return gather


def _gather_each(values: Values, places: Values, axis: int, batch: int) -> Values:
    if batch == 0:
        return values.take(places, axis=axis)
    pairs = zip(values, places, strict=True)
    return np.stack([_gather_each(part, those, axis - 1, batch - 1) for part, those in pairs])


def _one_hot(attributes: Attributes) -> Operation:
    axis = int(attributes["axis"])

    def one_hot(places: Values, depth: Values, on: Values, off: Values) -> Values:
        classes = np.arange(int(depth))
        spread = np.expand_dims(places, axis if axis >= 0 else places.ndim)
        shape = [1] * spread.ndim
        shape[axis] = -1
        return np.where(spread == classes.reshape(shape), on, off)

    return one_hot


def _pack(attributes: Attributes) -> Operation:
    axis = int(attributes["axis"])

    def pack(*parts: Values) -> Values:
        first = parts[0]
        before = axis % (first.ndim + 1)
        packed = np.empty((*first.shape[:before], len(parts), *first.shape[before:]), first.dtype)
        whole = (slice(None),) * before
        for place, part in enumerate(parts):
            packed[(*whole, place)] = part
        return packed

    return pack


def _shape(attributes: Attributes) -> Operation:
    kind = array_type(attributes["out_type"])

    def shape(values: Values) -> Values:
        return np.array(values.shape, kind)

    return shape


def _squeeze(attributes: Attributes) -> Operation:
    axes = tuple(attributes["squeeze_dims"]) or None

    def squeeze(values: Values) -> Values:
        return np.squeeze(values, axes)

    return squeeze


def _strided_slice(attributes: Attributes) -> Operation:
    begins, ends, ellipsis, new, shrink = (
        int(attributes[f"{name}_mask"]) for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    )

    def part_of(place: int, begin: int, end: int, stride: int) -> Any:
        bit = 1 << place
        if ellipsis & bit:
            return Ellipsis
        if new & bit:
            return None
        if shrink & bit:
            return begin
        return slice(None if begins & bit else begin, None if ends & bit else end, stride)

    def strided_slice(values: Values, begin: Values, end: Values, strides: Values) -> Values:
        bounds = zip(begin.tolist(), end.tolist(), strides.tolist(), strict=True)
        parts = [part_of(place, *bound) for place, bound in enumerate(bounds)]
        return values[tuple(parts) if ellipsis else (*parts, ...)]

    return strided_slice


FUNCTIONS: Mapping[str, Operation] = {
    "Reshape": _reshape, "ExpandDims": _expand_dims, "ConcatV2": _concat, "Tile": _tile,
    "Transpose": _transpose, "Slice": _slice, "Fill": _fill, "ZerosLike": _zeros_like,
    "OnesLike": _ones_like, "BroadcastTo": _broadcast_to, "Range": _range,
}  # fmt: skip

MAKERS: Mapping[str, Maker] = {
    **{name: _reduction(name) for name in _REDUCTIONS},
    "ArgMax": _extreme(_arg_max), "ArgMin": _extreme(_arg_min), "GatherV2": _gather, "OneHot": _one_hot,
    "Pack": _pack, "Shape": _shape,
    "Squeeze": _squeeze, "StridedSlice": _strided_slice,
}  # fmt: skip

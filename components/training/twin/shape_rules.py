"""Rules about shapes: what the rows' number was computed for, and what can do without a step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from components.training.twin.elementwise import ELEMENTWISE
from components.training.twin.values import Maker, Shape, Value

_UNIFORM = {"ZerosLike": 0, "OnesLike": 1}


def drop_what_changes_nothing(maker: Maker, value: Value) -> Value | None:
    """A cast to the type, or a change to the shape, that is there already: the value itself."""
    del maker
    kept = value.inputs[0] if value.inputs else None
    if kept is None or kept.is_constant:
        return None
    same = kept.shape is not None and kept.shape == value.shape and _unknown(kept.shape) <= 1
    if value.operation == "Cast" and kept.dtype == value.dtype:
        return kept
    return kept if value.operation in ("Reshape", "BroadcastTo", "Squeeze") and same else None


def state_shapes(maker: Maker, value: Value) -> Value | None:
    """A `Reshape` to a computed shape, an `ExpandDims` or a `Squeeze`: a `Reshape` to a stated one."""
    if value.operation not in ("Reshape", "ExpandDims", "Squeeze") or value.shape is None:
        return None
    if _unknown(value.shape) > 1 or 0 in value.shape:
        return None
    source = value.inputs[0]
    if source.operation == "Reshape":
        source = source.inputs[0]
    stated = maker.constant(_stated(value.shape))
    if value.operation == "Reshape" and value.inputs == (source, stated):
        return None
    return maker.make("Reshape", [source, stated], dtype=value.dtype, shape=value.shape)


def broadcast_scalars(maker: Maker, value: Value) -> Value | None:
    """One and the same entry in a whole array beside another whole array: the entry alone."""
    if value.operation not in ELEMENTWISE or value.shape is None:
        return None
    for place, one in enumerate(value.inputs):
        others = [other for number, other in enumerate(value.inputs) if number != place]
        entry = _entry(maker, one)
        if entry is not None and any(other.shape == value.shape for other in others):
            inputs = [*value.inputs[:place], entry, *value.inputs[place + 1 :]]
            return maker.make(
                value.operation, inputs, dtype=value.dtype, shape=value.shape, **value.attributes
            )
    return None


def slice_plainly(maker: Maker, value: Value) -> Value | None:
    """A `StridedSlice` of every entry between two ends, of as many axes: a `Slice`."""
    if value.operation != "StridedSlice" or value.shape is None or value.inputs[0].shape is None:
        return None
    begin, _, strides = value.inputs[1:]
    masks = {name: int(mask) for name, mask in value.attributes.items() if isinstance(mask, int)}
    of_all_axes = begin.shape == (len(value.shape),) == (len(value.inputs[0].shape),)
    if masks["ellipsis_mask"] or masks["new_axis_mask"] or masks["shrink_axis_mask"] or not of_all_axes:
        return None
    if not (begin.is_constant and strides.is_constant) or (strides.data != 1).any():
        return None
    masked = [masks["begin_mask"] >> place & 1 for place in range(len(value.shape))]
    starts = np.where(masked, 0, begin.data).astype(np.int32)
    rows = [place for place, size in enumerate(value.shape) if size is None]
    if (starts < 0).any() or any(starts[place] or not masks["end_mask"] >> place & 1 for place in rows):
        return None
    bounds = [maker.constant(starts), maker.constant(_stated(value.shape))]
    return maker.make("Slice", [value.inputs[0], *bounds], dtype=value.dtype, shape=value.shape)


def read_length(maker: Maker, value: Value) -> Value | None:
    """The length of an axis, read from a `Shape`, where it is known: a constant."""
    if value.operation != "StridedSlice" or value.shape != () or value.inputs[0].operation != "Shape":
        return None
    shape, begin = value.inputs[0].inputs[0].shape, value.inputs[1]
    if shape is None or not begin.is_constant or value.attributes["begin_mask"] != 0:
        return None
    length = shape[int(begin.data[0])]
    return None if length is None else maker.constant(np.array(length, value.dtype))


def keep_all(maker: Maker, value: Value) -> Value | None:
    """A `StridedSlice` that leaves out axes of one entry and nothing else: a `Reshape`."""
    if value.operation != "StridedSlice" or value.shape is None or value.inputs[0].shape is None:
        return None
    begin, strides = value.inputs[1], value.inputs[3]
    from_start = all(one.is_constant for one in (begin, strides)) and not begin.data.any()
    kept = [tuple(size for size in shape if size != 1) for shape in (value.inputs[0].shape, value.shape)]
    if not from_start or (strides.data != 1).any() or kept[0] != kept[1] or _unknown(value.shape) > 1:
        return None
    if None in value.shape and not int(value.attributes["end_mask"]) & 1:  # type: ignore[arg-type]
        return None
    stated = maker.constant(_stated(value.shape))
    return maker.make("Reshape", [value.inputs[0], stated], dtype=value.dtype, shape=value.shape)


def gather_once(maker: Maker, value: Value) -> Value | None:
    """A `GatherV2` of columns out of gathered columns: one `GatherV2`."""
    if value.operation != "GatherV2" or value.inputs[0].operation != "GatherV2":
        return None
    inner = value.inputs[0]
    second, first = (one.inputs[1:] for one in (value, inner))
    known = all(one.is_constant for one in (*first, *second)) and first[0].shape != ()
    if not known or (int(first[1].data), int(second[1].data)) != (1, 1):
        return None
    positions = maker.constant(first[0].data[second[0].data])
    inputs = [inner.inputs[0], positions, second[1]]
    return maker.make(value.operation, inputs, dtype=value.dtype, shape=value.shape, **value.attributes)


def _unknown(shape: Shape) -> int:
    return sum(one is None for one in shape)


def _stated(shape: Shape) -> NDArray[np.int32]:
    return np.array([-1 if one is None else one for one in shape], np.int32)


def _entry(maker: Maker, value: Value) -> Value | None:
    """Return the entry of which an array is full, as a scalar; None when there is none."""
    if value.operation == "Fill" and value.inputs[1].is_constant:
        return value.inputs[1]
    if value.operation not in _UNIFORM or value.dtype == "string":
        return None
    return maker.constant(np.array(_UNIFORM[value.operation], value.dtype))

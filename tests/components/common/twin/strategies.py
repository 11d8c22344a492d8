"""Inputs of operations, drawn with the edges of each type among them."""

import math

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

WIDTHS = {"float32": 32, "float64": 64}
STRINGS = st.one_of(
    st.sampled_from(
        [b"", b"\0", b"AA", b"a b", b" x\t\n", "ÄÖ ß".encode(), "東京".encode(), b"\xff\xfe", b"z" * 90]
    ),
    st.text(max_size=8).map(str.encode),
    st.binary(max_size=70),
)


def elements(kind, *, denormal=False, special=False, **limits):
    """Values of a type, its infinities, NaN and extremes among them, and denormals on request.

    Within limits there are infinities and NaN only when they are asked for, as `special`.
    """
    if kind == "bool":
        return st.booleans()
    if kind == "string":
        return STRINGS
    if kind in WIDTHS:
        drawn = st.floats(width=WIDTHS[kind], allow_subnormal=denormal, **limits)
        least = float(np.finfo(kind).smallest_subnormal)
        apart = [
            *([least, -least] if denormal else []),
            *([math.nan, math.inf, -math.inf] if special else []),
        ]
        return st.one_of(drawn, st.sampled_from(apart)) if apart else drawn
    bounds = np.iinfo(kind)
    low, high = limits.get("min_value", bounds.min), limits.get("max_value", bounds.max)
    near = st.sampled_from(
        [value for value in (low, high, 0, 1, -1, low + 1, high - 1) if low <= value <= high]
    )
    return st.one_of(near, st.integers(int(low), int(high)))


def values(kind, shape=None, **limits):
    """An array `[rows]` or `[rows, columns]` of a type, or of the shape that is given or drawn."""
    drawn = array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=20) if shape is None else shape
    return arrays(
        np.object_ if kind == "string" else kind,
        drawn,
        elements=elements(kind, **limits),
        fill=st.nothing(),
    )


def several(*kinds, **limits):
    """Arrays of one shape, or a scalar in the place of some, as TensorFlow broadcasts."""

    @st.composite
    def draw_them(draw):
        shape = draw(array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=20))
        return [draw(values(kind, draw(st.sampled_from([shape, shape, ()])), **limits)) for kind in kinds]

    return draw_them()

"""Measuring columns without Beam: what derived features need to know of all rows, in bounded memory.

The same sketches that TensorFlow Transform combines in its workers (tfx_bsl's Misra-Gries and quantiles)
are filled here from Arrow, so that the results are TFT's; tests hold them to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute
import tfx_bsl.sketches as generated
from numpy.typing import NDArray

from components.common.artifacts import MISSING_STRING, Kind
from components.common.encoding import DATATYPES, encode_column
from components.transform.config import MAX_VOCABULARY
from components.transform.correlate import CoMoments
from components.transform.derive import Derived, Encoding
from components.transform.library import tf
from components.transform.preprocess import input_types, read_numbers

pc: Any = pyarrow.compute  # its functions are made when it is imported; no checker sees them
sketches: Any = generated  # a compiled module; no checker sees into it

UNUSABLE = r"^$|[\n\r]"  # lines of a vocabulary file cannot hold such text; TFT leaves it out, too
MAX_VALUES = 1 << 32  # rows up to which the quantiles' error is bounded; as TFT sets it

Read = Callable[[Sequence[str]], Iterator[Any]]
Numbers = NDArray[np.float64]


class Bounds(NamedTuple):
    """Between which two numbers a column is measured, and whether values beyond them are clipped."""

    low: float
    high: float
    clips: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured in one column.

    Attributes:
        clip: Numbers to which values below and above are clipped; None where nothing is clipped.
        mean: Mean of the clipped numbers.
        deviation: Their standard deviation (of the population).
        vocabulary: Entries by falling frequency, then falling code points, UTF-8.
    """

    clip: tuple[float, float] | None = None
    mean: float = 0.0
    deviation: float = 0.0
    vocabulary: list[bytes] = field(default_factory=list[bytes])


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured of all columns.

    Attributes:
        columns: By column that is scaled or has a vocabulary.
        correlated: `(column, earlier column, correlation)` of near-duplicates.
    """

    columns: dict[str, Measured]
    correlated: list[tuple[str, str, float]]


def measure_columns(read: Read, derived: Sequence[Derived], *, max_correlation: float) -> Measurements:
    """Measure what derived features need, in two passes.

    Args:
        read: Returns the Arrow record batches of the train split with the columns named.
        derived: The features.
        max_correlation: Two numbers with a larger absolute correlation are near-duplicates.
    """
    scaled = [feature for feature in derived if feature.scaled]
    counted = [feature for feature in derived if feature.encoding == "category"]
    bounds, vocabularies = _sketch(read, scaled, counted)
    columns = {name: Measured(vocabulary=entries) for name, entries in vocabularies.items()}
    if not scaled:
        return Measurements(columns=columns, correlated=[])
    lows, highs, _ = (np.array(side, np.float64) for side in zip(*bounds.values(), strict=True))
    moments = CoMoments.of(lows, highs)
    for batch in read(list(bounds)):
        moments.add(*_stack([_numbers(batch, feature) for feature in scaled]))
    for (name, (low, high, clips)), mean, deviation in zip(bounds.items(), *moments.scales(), strict=True):
        clip = (low, high) if clips else None
        columns[name] = Measured(clip=clip, mean=float(mean), deviation=float(deviation))
    plain = [place for place, feature in enumerate(scaled) if feature.encoding == "number"]
    pairs = moments.correlated(plain, above=max_correlation)
    named = [(scaled[later].column, scaled[earlier].column, value) for later, earlier, value in pairs]
    return Measurements(columns=columns, correlated=named)


def _sketch(
    read: Read, scaled: Sequence[Derived], counted: Sequence[Derived]
) -> tuple[dict[str, Bounds], dict[str, list[bytes]]]:
    quantiles = {one.column: sketches.QuantilesSketch(_epsilon(one), MAX_VALUES, 1) for one in scaled}
    frequencies = {one.column: _counter() for one in counted}
    for batch in read([*quantiles, *frequencies]) if quantiles or frequencies else ():
        for feature in scaled:
            values, present = _numbers(batch, feature)
            quantiles[feature.column].AddValues(pa.array(values[present]))
        for feature in counted:
            frequencies[feature.column].AddValues(*_counts(batch.column(feature.column)))
    limits = {one.column: _bounds(quantiles[one.column], one) for one in scaled}
    return limits, {one.column: _entries(frequencies[one.column], one.size) for one in counted}


def _counter() -> Any:
    order = sketches.MisraGriesSketch.OrderOnTie.ReverseLexicographical
    return sketches.MisraGriesSketch(MAX_VOCABULARY + 1, order_on_tie=order)


def _counts(values: Any) -> tuple[Any, Any]:
    """Return the distinct values of a batch that can be entries, and how often each occurs."""
    counted = pc.value_counts(values.drop_null())
    entries, counts = counted.field("values"), counted.field("counts").cast(pa.float32())
    if pa.types.is_string(entries.type):
        usable = pc.invert(pc.match_substring_regex(entries, UNUSABLE))
        return entries.filter(usable), counts.filter(usable)
    return entries, counts


def _entries(counter: Any, size: int) -> list[bytes]:
    return counter.Estimate().field("values").to_pylist()[:size] or [MISSING_STRING.encode()]


def _numbers(batch: Any, feature: Derived) -> tuple[Numbers, NDArray[np.bool_]]:
    column = batch.column(feature.column)
    if feature.encoding == "calendar":  # dates repeat: each is parsed once
        encoded = column.dictionary_encode(null_encoding="encode")
        values, present = _read(encoded.dictionary, feature)
        return values[encoded.indices.to_numpy()], present[encoded.indices.to_numpy()]
    return _read(column, feature)


def _read(column: Any, feature: Derived) -> tuple[Numbers, NDArray[np.bool_]]:
    raw = encode_column(column, DATATYPES[feature.kind], name=feature.column)
    values, present = _reader(feature.encoding, feature.kind)(tf.constant(raw))
    return values.numpy(), present.numpy()


@functools.cache
def _reader(encoding: Encoding, kind: Kind) -> Any:
    """Return `read_numbers` as one traced function: its operations are many, and each costs a call."""
    (taken,) = input_types({"x": kind}).values()
    function = functools.partial(read_numbers, encoding=encoding, kind=kind)
    return tf.function(function, input_signature=[taken], autograph=False)


def parts_of(share: float) -> int:
    """Return into how many equal parts quantiles divide the values, so that `share` lies at each end."""
    return round(1 / share) if share else 2


def epsilon_of(share: float) -> float:
    """Return the rank error allowed for these quantiles, as a share of the values."""
    return share / 10 if share else 0.01


def _epsilon(feature: Derived) -> float:
    return epsilon_of(feature.clip_share)


def _bounds(sketch: Any, feature: Derived) -> Bounds:
    (quantiles,) = sketch.GetQuantiles(parts_of(feature.clip_share)).to_pylist() or [[0.0] * 4]
    if feature.clip_share:
        low, high = (float(np.float32(each)) for each in (quantiles[1], quantiles[-2]))  # as TFT's are
        if low < high:  # else nearly all values are one, and clipping would leave nothing of the others
            return Bounds(low, high, True)
    return Bounds(quantiles[0], quantiles[-1], False)


def _stack(columns: Sequence[tuple[Numbers, NDArray[np.bool_]]]) -> tuple[Numbers, NDArray[np.bool_]]:
    values, present = zip(*columns, strict=True)
    return np.stack(values, axis=1), np.stack(present, axis=1)

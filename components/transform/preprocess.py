"""The preprocessing function of derived features.

Layout of every index: 0 is missing. A vocabulary has 1 for unseen values and 2, 3, … for its entries by
falling frequency; buckets and calendar parts follow from 1 on. A number is a z-score over the values
present, clipped to what the train split holds between two quantiles; missing is 0, its mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING, Kind
from components.common.encoding import DATATYPES
from components.transform.derive import Derived, Encoding
from components.transform.library import tf, tft
from components.transform.parse_dates import parse_dates

Tensors = dict[str, Any]
PreprocessingFn = Callable[[Mapping[str, Any]], Tensors]

CALENDAR_SIZES = {"month": 13, "day": 32, "weekday": 8, "hour": 25}


class Analysis(Protocol):
    """What features need to know of all rows: TFT's analyzers, or numbers that were measured before.

    `known` is a tensor of the values present in a batch: float64 where numbers are scaled.
    """

    def clip(self, feature: Derived, numbers: Any, known: Any) -> Any:
        """Return numbers `[rows]` clipped to two quantiles of the feature."""
        ...

    def moments(self, feature: Derived, known: Any) -> tuple[Any, Any]:
        """Return mean and standard deviation (of the population) of clipped numbers, float64 scalars."""
        ...

    def vocabulary(self, feature: Derived, known: Any) -> Any:
        """Return the path of the feature's vocabulary file as a string scalar."""
        ...


def derived_preprocessing(derived: Sequence[Derived], analysis: Analysis) -> PreprocessingFn:
    """Return the preprocessing function of derived features.

    Every feature is named `<column>.<part>`, so that no two collide whatever columns are called.
    """

    def preprocessing_fn(inputs: Mapping[str, Any]) -> Tensors:
        outputs: Tensors = {}
        for feature in derived:
            parts = _PARTS[feature.encoding](inputs[feature.column], feature, analysis)
            outputs.update({f"{feature.column}.{part}": tensor for part, tensor in parts.items()})
        return outputs

    return tf.autograph.experimental.do_not_convert(preprocessing_fn)  # nothing to convert, and slow


def input_types(inputs: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the type of the tensor `[rows]` that each column enters a graph as."""
    types = {"FP32": tf.float32, "INT64": tf.int64, "BYTES": tf.string}
    return {name: tf.TensorSpec([None], types[DATATYPES[kind]], name) for name, kind in inputs.items()}


def read_numbers(values: Any, *, encoding: Encoding, kind: Kind) -> tuple[Any, Any]:
    """Return what a feature scales, float64 `[rows]`, and where there is a value.

    Args:
        values: The raw tensor `[rows]`, missing values as markers.
        encoding: `number`, or `calendar`, of which the days since 1970 are scaled.
        kind: Of the column.
    """
    if encoding == "calendar":
        calendar = parse_dates(values, timestamp=kind == "timestamp")
        return tf.cast(calendar.days, tf.float64), calendar.valid
    present = _present(values) if values.dtype == tf.int64 else tf.math.is_finite(values)
    return tf.cast(values, tf.float64), present


def vocabulary_name(feature: Derived) -> str:
    """Return the file name of a feature's vocabulary; columns may have any name.

    The kind is in it because TensorFlow shares tables by name within a process, whatever their types.
    """
    return f"vocabulary_{feature.position:03d}_{feature.kind}"


def _number(values: Any, feature: Derived, analysis: Analysis) -> Tensors:
    numbers, present = read_numbers(values, encoding="number", kind=feature.kind)
    return _scaled(numbers, present, feature, analysis, part="number")


def _scaled(numbers: Any, present: Any, feature: Derived, analysis: Analysis, *, part: str) -> Tensors:
    if feature.clip_share:
        numbers = analysis.clip(feature, numbers, tf.boolean_mask(numbers, present))
    mean, deviation = analysis.moments(feature, tf.boolean_mask(numbers, present))
    centred = tf.where(present, numbers - mean, tf.zeros_like(numbers))
    scaled = tf.where(deviation > 0, tf.math.divide_no_nan(centred, deviation), tf.zeros_like(numbers))
    outputs: Tensors = {part: tf.cast(scaled, tf.float32)}
    if feature.indicator:
        outputs["missing"] = tf.cast(~present, tf.float32)
    return outputs


def _category(values: Any, feature: Derived, analysis: Analysis) -> Tensors:
    present = _present(values)
    vocabulary = analysis.vocabulary(feature, tf.boolean_mask(values, present))
    found = tft.apply_vocabulary(values, vocabulary, default_value=-1)
    return {"index": tf.where(present, found + 2, tf.zeros_like(found))}


def _hash(values: Any, feature: Derived, analysis: Analysis) -> Tensors:
    del analysis
    present = _present(values)
    text = values if values.dtype == tf.string else tf.strings.as_string(values)
    bucket = tf.cast(tft.hash_strings(text, feature.size), tf.int64)
    return {"index": tf.where(present, bucket + 1, tf.zeros_like(bucket))}


def _calendar(values: Any, feature: Derived, analysis: Analysis) -> Tensors:
    calendar = parse_dates(values, timestamp=feature.kind == "timestamp")
    parts = {"month": calendar.month, "day": calendar.day, "weekday": calendar.weekday}
    if feature.kind == "timestamp":
        parts["hour"] = calendar.hour + 1
    outputs: Tensors = {
        name: tf.where(calendar.valid, part, tf.zeros_like(part)) for name, part in parts.items()
    }
    days = tf.cast(calendar.days, tf.float64)
    return outputs | _scaled(days, calendar.valid, feature, analysis, part="days")


def _present(values: Any) -> Any:
    return tf.not_equal(values, MISSING_STRING if values.dtype == tf.string else MISSING_INTEGER)


_PARTS: dict[str, Callable[[Any, Derived, Analysis], Tensors]] = {
    "number": _number,
    "category": _category,
    "hash": _hash,
    "calendar": _calendar,
}

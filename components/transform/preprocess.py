"""The preprocessing function: derived features as TensorFlow Transform computes them, or the user's own.

Layout of every index: 0 is missing. A vocabulary has 1 for unseen values and 2, 3, … for its entries by
falling frequency; buckets and calendar parts follow from 1 on. A number is a z-score over the values
present; missing is 0, its mean.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import tensorflow as tf
import tensorflow_transform  # after tensorflow: before it, it would turn tf.keras into Keras 2

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING
from components.common.errors import BadInputError
from components.transform.derive import Derived
from components.transform.parse_dates import parse_dates

tft: Any = tensorflow_transform  # no checker sees `experimental`, which is public
Tensors = dict[str, Any]
PreprocessingFn = Callable[[Mapping[str, Any]], Tensors]

CALENDAR_SIZES = {"month": 13, "day": 32, "weekday": 8, "hour": 25}


def vocabulary_name(feature: Derived, position: int) -> str:
    """Return the file name of a feature's vocabulary; columns may have any name.

    The kind is in it because TensorFlow shares tables by name within a process, whatever their types.
    """
    return f"vocabulary_{position:03d}_{feature.kind}"


def derived_preprocessing(derived: Sequence[Derived]) -> PreprocessingFn:
    """Return the preprocessing function of derived features.

    Every feature is named `<column>.<part>`, so that no two collide whatever columns are called.
    """

    def preprocessing_fn(inputs: Mapping[str, Any]) -> Tensors:
        outputs: Tensors = {}
        for position, feature in enumerate(derived):
            parts = _PARTS[feature.encoding](inputs[feature.column], feature, position)
            outputs.update({f"{feature.column}.{part}": tensor for part, tensor in parts.items()})
        return outputs

    return preprocessing_fn


def load_module(module: Path) -> ModuleType:
    """Load the user's Python file.

    Raises:
        BadInputError: It fails while it is loaded.
    """
    spec = importlib.util.spec_from_file_location("user_module", module)
    if spec is None or spec.loader is None:
        raise BadInputError("not a Python file", where="parameter `module_uri`", value=str(module))
    loaded = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    except Exception as error:  # the user's code may raise anything
        what = f"module fails while it is loaded: {type(error).__name__}: {error}"
        raise BadInputError(what, where=module.name) from error
    return loaded


def user_preprocessing(preprocessing_fn: PreprocessingFn) -> PreprocessingFn:
    """Wrap the user's function: floats become float32, integers indices in a bounded range.

    An integer output is shifted so that 0 holds everything below 0 and the last index everything beyond
    the largest value of the analysis; serving can then never leave the range.
    """

    def wrapped(inputs: Mapping[str, Any]) -> Tensors:
        try:
            outputs = preprocessing_fn(inputs)
        except Exception as error:  # the user's code may raise anything
            what = f"`preprocessing_fn` fails: {type(error).__name__}: {error}"
            raise BadInputError(what, where="parameter `module_uri`") from error
        return {name: _bounded(name, tensor) for name, tensor in outputs.items()}

    return wrapped


def _bounded(name: str, tensor: Any) -> Any:
    where = f"`preprocessing_fn`, output `{name}`"
    if name == "label":
        raise BadInputError("the name `label` is taken", where=where, fix="rename the output")
    if isinstance(tensor, tf.SparseTensor) or tensor.shape.rank not in (None, 1):
        raise BadInputError(
            "must be a dense tensor of one value a row", where=where, value=str(tensor.shape)
        )
    if tensor.dtype.is_floating:
        return tf.cast(tensor, tf.float32)
    if not tensor.dtype.is_integer:
        raise BadInputError("must be of a float or an integer type", where=where, value=tensor.dtype.name)
    values = tf.cast(tensor, tf.int64)
    return tf.clip_by_value(values, -1, tft.max(values) + 1) + 1


def _number(values: Any, feature: Derived, position: int) -> Tensors:
    del position
    if values.dtype == tf.int64:
        return _scaled(tf.cast(values, tf.float64), tf.not_equal(values, MISSING_INTEGER), feature)
    return _scaled(tf.cast(values, tf.float64), tf.math.is_finite(values), feature)


def _scaled(values: Any, present: Any, feature: Derived, part: str = "number") -> Tensors:
    known = tf.boolean_mask(values, present)
    deviation = tf.sqrt(tft.var(known))
    centred = tf.where(present, values - tft.mean(known), tf.zeros_like(values))
    scaled = tf.where(deviation > 0, tf.math.divide_no_nan(centred, deviation), tf.zeros_like(values))
    outputs: Tensors = {part: tf.cast(scaled, tf.float32)}
    if feature.indicator:
        outputs["missing"] = tf.cast(~present, tf.float32)
    return outputs


def _category(values: Any, feature: Derived, position: int) -> Tensors:
    present = _present(values)
    name = vocabulary_name(feature, position)
    # The sketch behind `approximate_vocabulary` is exact while all distinct values fit, and much faster.
    vocabulary_of = tft.vocabulary if feature.truncated else tft.experimental.approximate_vocabulary
    vocabulary = vocabulary_of(tf.boolean_mask(values, present), top_k=feature.size, vocab_filename=name)
    found = tft.apply_vocabulary(values, vocabulary, default_value=-1)
    return {"index": tf.where(present, found + 2, tf.zeros_like(found))}


def _hash(values: Any, feature: Derived, position: int) -> Tensors:
    del position
    present = _present(values)
    text = values if values.dtype == tf.string else tf.strings.as_string(values)
    bucket = tf.cast(tft.hash_strings(text, feature.size), tf.int64)
    return {"index": tf.where(present, bucket + 1, tf.zeros_like(bucket))}


def _calendar(values: Any, feature: Derived, position: int) -> Tensors:
    del position
    calendar = parse_dates(values, timestamp=feature.kind == "timestamp")
    parts = {"month": calendar.month, "day": calendar.day, "weekday": calendar.weekday}
    if feature.kind == "timestamp":
        parts["hour"] = calendar.hour + 1
    outputs: Tensors = {
        name: tf.where(calendar.valid, part, tf.zeros_like(part)) for name, part in parts.items()
    }
    return outputs | _scaled(tf.cast(calendar.days, tf.float64), calendar.valid, feature, part="days")


def _present(values: Any) -> Any:
    return tf.not_equal(values, MISSING_STRING if values.dtype == tf.string else MISSING_INTEGER)


_PARTS: dict[str, Callable[[Any, Derived, int], Tensors]] = {
    "number": _number,
    "category": _category,
    "hash": _hash,
    "calendar": _calendar,
}

"""Wrapping the user's module, so that what its `preprocessing_fn` gives fits, and its faults are named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from components.common.modules import failure_of, load_module
from components.transform.library import tf, tft
from components.transform.preprocess import PreprocessingFn, Tensors


def load_preprocessing_fn(module: Path) -> PreprocessingFn | None:
    """Load the `preprocessing_fn` of the user's Python file, wrapped so that it gives features.

    Floats become float32, integers indices: shifted so that 0 holds everything below 0 and the last index
    everything beyond the largest value of the analysis; serving can then never leave the range.

    Returns:
        The function, or None when the module has none.

    Raises:
        BadInputError: The module fails while it is loaded. The function raises it when the user's fails,
            or gives what cannot be a feature.
    """
    preprocessing_fn = getattr(load_module(module), "preprocessing_fn", None)
    if preprocessing_fn is None:
        return None

    def wrapped(inputs: Mapping[str, Any]) -> Tensors:
        try:
            outputs = preprocessing_fn(inputs)
        except Exception as error:  # the user's own code runs here, and may raise any kind
            raise failure_of("`preprocessing_fn` fails", error, module) from error
        if not isinstance(outputs, Mapping) or not outputs:
            what = "`preprocessing_fn` must return a mapping of names to tensors, and at least one"
            raise BadInputError(what, where=module.name, value=type(outputs).__name__)
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

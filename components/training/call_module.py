"""Calling the user's `build_model`, and holding what it returns to the contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras as untyped

from components.common.artifacts import TransformSummary
from components.common.errors import BadInputError
from components.common.modules import failure_of, load_module
from components.training.read_module import BUILD_MODEL

keras: Any = untyped  # its annotations call every number a string


def build_user_model(module: Path, summary: TransformSummary, hyperparameters: Mapping[str, Any]) -> Any:
    """Call `build_model(features, task, classes, hyperparameters)` of a module.

    The function gets the transformed features, a list of `{name, column, encoding, size}` in order; the
    task, `binary`, `multiclass` or `regression`; the label values by class index; and the trial's
    hyperparameters, a mapping. It returns a `keras.Model` of a mapping of inputs: `numbers`, float32
    `[rows, n]`, the features of encoding `number` in their order; `indices`, int32 `[rows, k]`, those of
    encoding `index`, each in [0, size); an input without features is left out. Its output is of logits
    `[rows, 1]` (binary), logits `[rows, classes]` (multiclass), or the standardised value `[rows, 1]`
    (regression).

    Args:
        module: A Python file that defines it.
        summary: Of the transform.
        hyperparameters: Of the trial.

    Raises:
        BadInputError: The module or the function fails (its line is named), or what it returns is no such
            model.
    """
    function = getattr(load_module(module), BUILD_MODEL)
    features = [dict(feature) for feature in summary.features]
    try:
        model = function(features, summary.task, list(summary.classes), dict(hyperparameters))
    except Exception as error:  # the user's own code runs here, and may raise any kind
        raise failure_of(f"`{BUILD_MODEL}` fails", error, module) from error
    _require_model(model, summary, module)
    return model


def _require_model(model: Any, summary: TransformSummary, module: Path) -> None:
    where, fix = f"{module.name}, `{BUILD_MODEL}`", "see the contract in the README of training"
    if not isinstance(model, keras.Model):
        raise BadInputError("returns no keras.Model", where=where, value=type(model).__name__, fix=fix)
    counts = {"number": 0, "index": 0}
    for feature in summary.features:
        counts[feature["encoding"]] += 1
    columns = {"numbers": counts["number"], "indices": counts["index"]}
    wanted = {name: (None, count) for name, count in columns.items() if count}
    inputs = model.input if isinstance(model.input, Mapping) else {}
    found = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
    if found != wanted:
        raise BadInputError(f"takes other inputs than {wanted}", where=where, value=found, fix=fix)
    outputs = (None, len(summary.classes) if summary.task == "multiclass" else 1)
    shape = getattr(model.output, "shape", None)
    if shape is None or tuple(shape) != outputs:
        raise BadInputError(f"gives another output than {outputs}", where=where, value=shape, fix=fix)

"""What the inputs of pipelines mean, in the words that the dashboard's form shows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

INPUTS: Mapping[str, str] = {
    "sources": 'Where the rows come from: by name a uri, uris or a mapping. {"flights": "s3://b/*.csv"}',
    "label": "The column to be learnt.",
    "query": "SQL (DuckDB) over the names of the sources that makes the rows; needed for several.",
    "task": "binary, multiclass or regression; unset, it follows from the label.",
    "features": 'How single columns are treated: drop, number, category, hash, calendar. {"id": "drop"}',
    "split": 'Which rows train, choose and judge. {"by": "hash"} or {"by": "time", "column": …}',
    "model_name": "The name that the model serves under: lower-case letters, digits and dashes.",
    "search_space": 'By hyperparameter one value, {"choices": […]} or {"low": …, "high": …, "log": true}.',
    "trials": "How many points of the search space are tried.",
    "sampler": "How they are drawn: random, qmc, tpe or grid.",
    "seed": "Of all that is random; the same seed, the same trials.",
    "thresholds": 'What the model must reach to be deployed. {"auc": {"min": 0.7}, "max_regression": 0.01}',
    "slices": 'Columns, and pairs of columns, by whose values the metrics are repeated. ["carrier"]',
    "module_uri": "One Python file that may define preprocessing_fn and build_model.",
    "baseline_uri": "Folder of a complete model to compare with; unset, the one now serving.",
    "deploy": 'Where and how to deploy. {"target": "none"}, {"steps": [5, 25, 50, 100]}',
    "model_uri": "The complete model to release: s3://bucket/prefix, as evaluation published it.",
    "revision": "Which of those that were released; unset, the one before the present one.",
    "ingestion": "Knobs of ingestion: components/ingestion/README.md",
    "validation": 'Knobs of data validation: components/data_validation/README.md. {"max_drift": 0.2}',
    "transform": "Knobs of the transform: components/transform/README.md",
    "training": "Knobs of training: components/training/README.md",
    "evaluation": "Knobs of evaluation: components/evaluation/README.md",
}


def describe_inputs(function: Callable[..., Any]) -> str:
    """Return the docstring of a pipeline's function, with what each input means.

    Raises:
        KeyError: One is not in `INPUTS`.
    """
    lines = [f"    {name}: {INPUTS[name]}" for name in inspect.signature(function).parameters]
    return "\n".join([f"{inspect.getdoc(function)}\n", "Args:", *lines])

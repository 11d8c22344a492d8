"""Whole runs from rows to a judged model, and scikit-learn's gradient boosting on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score
from sklearn.preprocessing import OrdinalEncoder

from benchmarks.latest_run import artifact
from components.common.artifacts import read_evaluation, read_model_record, split_files
from components.common.documents import read_json
from components.common.errors import UnavailableError
from pipelines.local import run

_MOST_CATEGORIES = 255  # that scikit-learn takes as such; more are taken as numbers


def run_training(parameters: Mapping[str, Any], root: Path) -> Mapping[str, Any]:
    """Run the pipeline `training`, serving nothing; returns `run.json`.

    Raises:
        UnavailableError: No model was judged. One that was judged and not blessed is judged all the same.
    """
    result = run("training", {**parameters, "deploy": {"target": "none"}}, root=root)
    record = read_json(Path(result.directory) / "run.json")
    if not any("evaluated_model" in ports for ports in record["outputs"].values()):
        raise UnavailableError("the run ended without a judged model", where=result.directory)
    return record


def compare(record: Mapping[str, Any], metric: str) -> tuple[float, float]:
    """Return our metric on the test split of a run, and gradient boosting's, trained on its train split."""
    evaluated = artifact(record, "evaluated_model")
    ours = read_evaluation(evaluated).metrics[metric]["value"]
    label = read_model_record(evaluated).label
    examples = artifact(record, "examples")
    train, test = (pl.read_parquet(split_files(examples, split)) for split in ("train", "test"))
    return ours, _reference(train.drop_nulls(label), test.drop_nulls(label), label, metric)


def _reference(train: pl.DataFrame, test: pl.DataFrame, label: str, metric: str) -> float:
    rows, asked, categories = _matrices(train.drop(label), test.drop(label))
    target, wanted = train[label].to_numpy(), test[label].to_numpy()
    if metric == "mse":
        booster = HistGradientBoostingRegressor(categorical_features=categories, random_state=0)
        return float(mean_squared_error(wanted, booster.fit(rows, target).predict(asked)))
    booster = HistGradientBoostingClassifier(categorical_features=categories, random_state=0)
    answers = booster.fit(rows, target).predict_proba(asked)
    if metric == "auc":
        return float(roc_auc_score(wanted, answers[:, 1]))
    return float(log_loss(wanted, answers, labels=booster.classes_))


def _matrices(train: pl.DataFrame, test: pl.DataFrame) -> tuple[Any, Any, Any]:
    """Return both as numbers, strings as ordinals, and which columns are categories."""
    strings = [name for name, kind in train.schema.items() if kind == pl.String]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
    )
    if strings:
        encoder.fit(train.select(strings).to_pandas())

    def matrix(table: pl.DataFrame) -> Any:
        frame = table.to_pandas()
        if strings:
            frame[strings] = encoder.transform(frame[strings])
        return frame.astype(float).to_numpy()

    few = [name for name in strings if train[name].n_unique() <= _MOST_CATEGORIES]
    return matrix(train), matrix(test), [train.columns.index(name) for name in few]

"""Quality on real data: our model's test AUC against logistic regression on the same split and features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.latest_run import artifact, latest_run
from benchmarks.record import Record, judge
from components.common.artifacts import read_evaluation, read_model_record, read_signature, split_files

RARE = 20  # rows below which a value shares one column with the other rare ones


def measure() -> Record:
    """Judge the newest run."""
    return compare_run("flights_auc", latest_run())


def compare_run(name: str, run: Mapping[str, Any]) -> Record:
    """Fit the floor on a run's training rows and compare on its test rows."""
    examples, evaluated = artifact(run, "examples"), artifact(run, "evaluated_model")
    evaluation, label = read_evaluation(evaluated), read_model_record(evaluated).label
    kinds = {entry["name"]: str(entry["kind"]) for entry in read_signature(evaluated).inputs}
    train, test = (_rows(examples, split, [*kinds, label], label) for split in ("train", "test"))
    floor = _floor(kinds).fit(train.select(list(kinds)).to_pandas(), train[label].to_numpy())
    scores = floor.predict_proba(test.select(list(kinds)).to_pandas())[:, 1]
    return judge(
        name,
        evaluation.metrics["auc"]["value"],
        peer=float(roc_auc_score(test[label].to_numpy(), scores)),
        at="least",
        bound=1.0,
        conditions={
            "unit": "AUC on the test split",
            "peer": "scikit-learn LogisticRegression, one-hot integers and strings, scaled floats",
            "low": evaluation.metrics["auc"]["low"],
            "high": evaluation.metrics["auc"]["high"],
            "train_rows": train.height,
            "test_rows": test.height,
            "test_rows_of_ours": evaluation.rows,
            "columns": ", ".join(kinds),
            "split": str(run["parameters"].get("split")),
            "trials": int(run["parameters"].get("trials") or 0),
            "run": str(run["run_id"]),
        },
    )


def _rows(examples: Path, split: str, columns: list[str], label: str) -> pl.DataFrame:
    return pl.read_parquet(split_files(examples, split), columns=columns).drop_nulls(label)


def _floor(kinds: dict[str, str]) -> Any:
    numbers = [name for name, kind in kinds.items() if kind == "float"]
    categories = [name for name in kinds if name not in numbers]
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE), categories),
            (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        ),
        LogisticRegression(max_iter=200),
    )

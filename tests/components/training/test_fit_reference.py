"""The oracle is scikit-learn, fed by hand from the Parquet files."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn import metrics
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from components.common.artifacts import read_transform
from components.training.fit_reference import fit_reference


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_reference_is_scikit_learns_on_the_same_split(prepared, task):
    inputs = prepared(task)
    found = fit_reference(inputs.transformed_examples, inputs.transform_graph)
    features = sorted(
        read_transform(inputs.transform_graph).features, key=lambda one: one["encoding"] != "number"
    )
    tables = {
        split: pq.read_table(inputs.transformed_examples / split).to_pydict() for split in ("train", "eval")
    }
    rows = {split: np.array([table[one["name"]] for one in features]).T for split, table in tables.items()}
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    model = kind(random_state=0, categorical_features=[one["encoding"] == "index" for one in features])
    model.fit(rows["train"], tables["train"]["label"])
    label = tables["eval"]["label"]
    if task == "regression":
        assert found["mse"] == pytest.approx(metrics.mean_squared_error(label, model.predict(rows["eval"])))
        return
    answers = model.predict_proba(rows["eval"])
    assert found["log_loss"] == pytest.approx(metrics.log_loss(label, answers))
    if task == "binary":
        assert found["auc"] == pytest.approx(metrics.roc_auc_score(label, answers[:, 1]))

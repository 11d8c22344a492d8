"""The whole room on tiny real models: verdicts, and what lies in the folders."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss, r2_score, recall_score, roc_auc_score

from components.common.artifacts import read_evaluation, read_verdict, split_files
from components.common.errors import BadInputError
from components.common.golden import read_golden_requests
from components.common.seal import model_digest
from components.common.storage import content_digest, file_digest
from components.evaluation.config import EvaluationConfig, Thresholds


def read_rows(world):
    return pa.concat_tables([pq.read_table(file) for file in split_files(world.examples, "test")])


def formula(row):
    return (row["distance"] or 0.0) + {"AA": 1.0, "UA": -1.0}.get(row["carrier"], 0.0)


def test_binary_metrics_equal_scikit_learn_on_the_raw_rows(make_world):
    world = make_world()
    found = world.run()
    rows = read_rows(world).to_pylist()
    scores, labels = [1 / (1 + math.exp(-formula(row))) for row in rows], [row["late"] for row in rows]
    assert found.metrics["auc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found.metrics["log_loss"] == pytest.approx(log_loss(labels, scores), rel=1e-6)
    assert found.metrics["auc_low"] < found.metrics["auc"] < found.metrics["auc_high"]
    assert (found.verdict.outcome, found.metrics["rows"]) == ("blessed (no baseline yet)", 600)


def test_regression_metrics_equal_scikit_learn_on_the_raw_rows(make_world):
    world = make_world("regression")
    found = world.run()
    rows = read_rows(world).to_pylist()
    wanted = r2_score([row["late"] for row in rows], [formula(row) for row in rows])
    assert found.metrics["r2"] == pytest.approx(wanted)
    assert found.verdict.passed


def test_several_classes_are_judged(make_world):
    world = make_world("multiclass")
    world.set_baseline(task="multiclass", weight=0.9)
    found = world.run()
    assert found.verdict.outcome == "blessed"
    assert {"log_loss", "accuracy", "auc", "baseline_log_loss"} <= set(found.metrics)


def test_the_folders_hold_what_the_contract_says(make_world):
    world = make_world()
    world.slices = ["carrier"]
    world.set_baseline(weight=0.8)
    found = world.run()
    evaluation, verdict = read_evaluation(world.out / "evaluation"), read_verdict(world.out / "evaluation")
    assert verdict == found.verdict
    assert (evaluation.recipe, evaluation.model) == ("9" * 64, found.model_digest)
    assert evaluation.baseline["uri"] == "file:///models/old"
    assert evaluation.baseline["digest"] == model_digest(world.baseline)
    assert evaluation.baseline["metrics"]["auc"]["value"] == found.metrics["baseline_auc"]
    assert evaluation.metrics["auc"] == {
        "value": found.metrics["auc"], "low": found.metrics["auc_low"], "high": found.metrics["auc_high"],
    }  # fmt: skip
    assert {entry["where"]["carrier"] for entry in evaluation.slices} == {"AA", "UA", "ZZ"}
    assert evaluation.thresholds == Thresholds().as_mapping()
    golden = read_golden_requests(world.out / "golden_requests")
    assert len(golden) == found.golden_rows == 32


def test_the_published_model_is_complete_and_keeps_its_digest(make_world):
    world = make_world()
    before, found = model_digest(world.model), world.run()
    complete = world.out / "evaluated_model"
    assert before == found.model_digest == model_digest(complete)
    assert before == model_digest(world.model)
    assert {path.name for path in complete.iterdir()} == {
        "1", "signature.json", "model.json", "schema.pbtxt", "statistics.pb", "evaluation.json",
        "golden.jsonl", "digest.json", "model_card.md",
    }  # fmt: skip
    seal = json.loads((complete / "digest.json").read_text())
    assert seal["model"] == before
    assert seal["files"]["evaluation.json"] == file_digest(world.out / "evaluation" / "evaluation.json")
    assert seal["files"]["golden.jsonl"] == file_digest(world.out / "golden_requests" / "golden.jsonl")


def test_the_same_inputs_give_the_same_bytes_and_a_second_run_replaces_the_first(make_world):
    world = make_world()
    world.slices = ["carrier", "month"]
    world.run()
    first, page = content_digest(world.out), (world.out / "report.html").read_bytes()
    world.run()
    assert content_digest(world.out) == first
    assert (world.out / "report.html").read_bytes() == page


def test_a_constant_model_is_not_blessed_and_everything_is_written(make_world):
    world = make_world(weight=0.0, bias=-0.2)
    world.set_table(read_rows(world).set_column(1, "carrier", pa.array(["ZZ"] * 600)))
    found = world.run()
    assert found.verdict.outcome == "not blessed"
    assert found.verdict.reasons[0].startswith("better than a constant: 0.5000")
    assert (world.out / "evaluated_model" / "digest.json").exists()
    assert (world.out / "report.html").exists()


def test_the_same_model_again_passes_and_a_much_worse_one_does_not(make_world):
    world = make_world()
    world.set_baseline()
    assert world.run().verdict.outcome == "blessed"
    world.set_model(weight=-0.3)
    found = world.run()
    assert found.verdict.outcome == "not blessed"
    assert any(reason.startswith("not worse than the baseline") for reason in found.verdict.reasons)


def test_a_slightly_worse_model_passes(make_world):
    world = make_world()
    world.set_model(weight=0.8)
    world.set_baseline()
    found = world.run()
    assert found.metrics["auc"] < found.metrics["baseline_auc"]
    assert found.verdict.outcome == "blessed"


def test_a_model_that_answers_nan_is_not_blessed_and_the_files_stay_json(make_world):
    world = make_world(missing=math.nan)
    world.set_baseline()
    found = world.run()
    assert not found.verdict.passed
    assert re.search(r"answers: \d+ of 600 are NaN or infinite", found.verdict.reasons[0])
    assert set(found.metrics) == {"rows", *(name for name in found.metrics if name.startswith("baseline_"))}
    assert read_evaluation(world.out / "evaluation").metrics == {}


def test_a_baseline_of_other_columns_is_a_reason_not_an_error(make_world):
    world = make_world()
    inputs = [
        {"name": "tail", "kind": "float", "datatype": "FP32", "optional": True, "example": 0.5},
        {"name": "carrier", "kind": "string", "datatype": "BYTES", "optional": False, "example": "AA"},
    ]
    world.set_baseline(inputs=inputs)
    found = world.run()
    assert not found.verdict.passed
    assert "the baseline needs column `tail`, which today's data lack" in found.verdict.reasons[0]
    world.thresholds = {"max_regression": None}
    found = world.run()
    assert found.verdict.outcome == "blessed"
    assert found.verdict.reasons[0].startswith(
        "the baseline was no condition: the baseline needs column `tail`"
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"task": "regression"}, r"predicts `late` \(regression\), not `late` \(binary\)"),
        ({"label": "early"}, "predicts `early`"),
        ({"classes": ["1", "0"]}, "knows the classes `1`, `0`, not `0`, `1`"),
    ],
)
def test_a_baseline_that_predicts_something_else_is_a_reason(make_world, choices, message):
    world = make_world()
    world.set_baseline(**choices)
    assert re.search(message, world.run().verdict.reasons[0])


def test_a_column_whose_type_the_baseline_does_not_take_is_a_reason(make_world):
    world = make_world()
    inputs = [
        {"name": "distance", "kind": "float", "datatype": "FP32", "optional": True, "example": 0.5},
        {"name": "carrier", "kind": "integer", "datatype": "INT64", "optional": False, "example": 1},
    ]
    world.set_baseline(inputs=inputs)
    assert "the baseline cannot answer: " in world.run().verdict.reasons[0]


def test_rows_left_out_are_said_though_the_model_passes(make_world):
    world = make_world()
    table = read_rows(world)
    labels = [
        None if row < 5 else 2 if row < 8 else value for row, value in enumerate(table["late"].to_pylist())
    ]
    world.set_table(table.set_column(3, "late", pa.array(labels)))
    found = world.run()
    assert found.verdict.passed
    assert found.metrics["rows"] == 592
    assert found.verdict.reasons == [
        "5 test rows without a label were left out",
        "3 test rows were left out whose label no training row had: `2` (3)",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slices": ["carier"]}, "did you mean `carrier`"),
        ({"slices": [3.0]}, "a slice must be a column or a pair"),
        ({"thresholds": {"auk": {"min": 0.7}}}, "did you mean `auc`"),
    ],
)
def test_a_slip_is_named_and_leaves_nothing_behind(make_world, change, message):
    world = make_world()
    for name, value in change.items():
        setattr(world, name, value)
    with pytest.raises(BadInputError, match=message):
        world.run()
    assert not world.out.exists()


def test_a_knob_reaches_its_place(make_world):
    world = make_world()
    world.slices = ["carrier"]
    world.config = EvaluationConfig(golden_rows=8, max_slice_values=1, batch_size=7)
    found = world.run()
    assert found.golden_rows == 8
    assert len(read_evaluation(world.out / "evaluation").slices) == 1


def test_slices_that_are_not_measured_are_said_and_recorded(make_world):
    world = make_world()
    world.slices = ["carrier"]
    world.config = EvaluationConfig(min_slice_rows=10_000)
    found = world.run()
    told = (
        "slices of `carrier`: 3 of 3 values not measured "
        "(fewer than 10,000 rows, or beyond the 20 most frequent)"
    )
    assert found.verdict.passed
    assert found.verdict.reasons == read_evaluation(world.out / "evaluation").reasons == [told]


def write_other_splits(world):
    """Give a world a train and an eval split, larger than its test split."""
    for split, seed in (("train", 11), ("eval", 12)):
        random = np.random.default_rng(seed)
        distance, carrier = random.normal(size=1_500), random.choice(["AA", "UA", "ZZ"], 1_500)
        score = distance + np.select([carrier == "AA", carrier == "UA"], [1.0, -1.0], 0.0)
        late = (random.random(1_500) < 1 / (1 + np.exp(-score))).astype(np.int64)
        (world.examples / split).mkdir()
        table = pa.table({"distance": distance, "carrier": carrier, "late": late})
        pq.write_table(table, world.examples / split / "part-00000.parquet")


def test_the_threshold_is_chosen_on_the_eval_split_and_its_cost_told_on_the_test_split(make_world):
    world = make_world()
    write_other_splits(world)
    world.set_baseline(weight=0.8)
    world.config = EvaluationConfig(costs={"false_positive": 1.0, "false_negative": 4.0})
    found = world.run()
    evaluation = read_evaluation(world.out / "evaluation")
    assert evaluation.decision["chosen"] == "cheapest on the eval split"
    threshold = evaluation.decision["threshold"]
    assert threshold == pytest.approx(0.2, abs=0.08)  # Elkan (2001): 1 / (1 + 4) for right probabilities
    rows = read_rows(world).to_pylist()
    labels = np.array([row["late"] for row in rows])
    answered = np.array([1 / (1 + math.exp(-formula(row))) >= threshold for row in rows])
    wanted = (1.0 * (answered & (labels == 0)) + 4.0 * (~answered & (labels == 1))).mean()
    assert found.metrics["cost"] == pytest.approx(wanted)
    assert found.metrics["recall"] == pytest.approx(recall_score(labels, answered))
    assert "baseline_cost" in found.metrics
    (world.examples / "eval" / "part-00000.parquet").unlink()
    with pytest.raises(BadInputError, match="split `eval` has no Parquet file"):
        world.run()


def test_costs_for_several_classes_are_an_error(make_world):
    world = make_world("multiclass")
    world.config = EvaluationConfig(costs={"false_positive": 1, "false_negative": 4})
    with pytest.raises(BadInputError, match="costs cannot be used for multiclass"):
        world.run()


def test_everything_that_was_asked_for_is_in_evaluation_json_and_repeats(make_world):
    world = make_world(rows=2_000)
    write_other_splits(world)
    world.set_baseline(weight=0.8)
    world.slices = ["month", ["carrier", "month"]]
    world.thresholds = {
        "slices": {"carrier": {"accuracy": {"min": 0.5}}},
        "groups": {"carrier": {"recall": {"max_difference": 0.99}}},
    }
    world.config = EvaluationConfig(sanity={"month": "invariant", "distance": "increasing"})
    assert world.run().verdict.outcome == "blessed"
    found = read_evaluation(world.out / "evaluation")
    assert set(found.comparisons) == {"constant", "reference"}
    assert found.comparisons["reference"]["who"] == "gradient boosting (1,500 training rows)"
    assert found.comparisons["constant"]["differences"]["log_loss"]["high"] < 0
    assert {tuple(one["where"]) for one in found.slices} == {("carrier",), ("month",), ("carrier", "month")}
    assert [one["column"] for one in found.importance] == ["distance", "carrier"]
    assert {one["metric"] for one in found.groups} >= {"selection_rate", "recall", "false_positive_rate"}
    assert [(one["column"], one["passed"]) for one in found.sanity] == [("month", True), ("distance", True)]
    assert found.weak_slices["tested"] > 10
    assert sum(point["rows"] for point in found.calibration) == found.rows == np.sum(found.confusion)
    first, page = content_digest(world.out), (world.out / "report.html").read_bytes()
    world.run()
    assert (content_digest(world.out), (world.out / "report.html").read_bytes()) == (first, page)


def test_each_class_is_in_evaluation_json(make_world):
    world = make_world("multiclass")
    world.run()
    found = read_evaluation(world.out / "evaluation")
    assert [one["class"] for one in found.classes] == ["a", "b", "c"]
    assert sum(one["rows"] for one in found.classes) == 600
    assert set(found.classes[0]["metrics"]) == {"precision", "recall", "f1", "auc", "average_precision"}
    assert found.decision is None


def test_only_the_test_split_judges(make_world):
    world = make_world()
    world.config = EvaluationConfig(reference_rows=0)
    before = world.run().metrics
    write_other_splits(world)
    assert world.run().metrics == before


def test_no_train_split_is_told_and_no_path_of_this_machine_is(make_world):
    world = make_world()
    world.run()
    found = read_evaluation(world.out / "evaluation").comparisons["reference"]
    assert found["obstacle"] == "there is no reference: split `train` has no Parquet file"
    written = [file for file in world.out.rglob("*") if file.suffix in (".json", ".jsonl", ".md", ".html")]
    assert [file for file in written if str(world.root) in file.read_text()] == []


HOSTILE = "x' or '1'=='1\"><script>alert(1)</script> | {{ 7 * 7 }}"


def test_quotes_and_operators_in_data_and_thresholds_are_data(make_world):
    world = make_world()
    table = read_rows(world)
    carriers = [HOSTILE if name == "AA" else name for name in table["carrier"].to_pylist()]
    world.set_table(table.set_column(1, "carrier", pa.array(carriers)))
    world.thresholds = {"slices": {"carrier": {"auc": {"min": 0.99}}}}
    found = world.run()
    assert not found.verdict.passed
    assert any(reason.startswith(f"auc where carrier = {HOSTILE}: ") for reason in found.verdict.reasons)
    page = (world.out / "report.html").read_text()
    card = (world.out / "evaluated_model" / "model_card.md").read_text()
    assert "<script" not in page + card
    assert "{{ 7 * 7 }}" in page
    world.thresholds = {"slices": {HOSTILE: {"auc": {"min": 0.0}}}}
    with pytest.raises(BadInputError, match="unknown key"):
        world.run()

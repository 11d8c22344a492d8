import json

import pytest

from components.common.artifacts import ModelRecord, write_model_record
from components.common.errors import BadInputError
from components.training.config import TrainingConfig
from components.training.records import TrialRecord, write_records
from components.training.select_best import select_best_model


def record(number, **metrics):
    if metrics:
        return TrialRecord(number=number, state="complete", hyperparameters={"units": 1}, metrics=metrics)
    return TrialRecord(number=number, state="failed", hyperparameters={"units": 1}, error=f"broke {number}")


def folder(path, task, records, best=None):
    write_records(path, task, records)
    if best is not None:
        model = ModelRecord(
            task=task, label="y", classes=[], trial=best, hyperparameters={}, validation={}, digests={}
        )
        write_model_record(path, model)
    return path


def select(tmp_path, models, **knobs):
    best = select_best_model(
        models,
        best_model=tmp_path / "best",
        leaderboard=tmp_path / "board",
        report=tmp_path / "board.html",
        config=TrainingConfig(**knobs),
    )
    return best, json.loads((tmp_path / "board" / "leaderboard.json").read_text())


@pytest.mark.parametrize(
    ("task", "metric", "direction", "order"),
    [
        ("binary", "auc", "maximise", [2, 0, 1]),
        ("multiclass", "log_loss", "minimise", [1, 0, 2]),
        ("regression", "mse", "minimise", [1, 0, 2]),
    ],
)
def test_the_task_decides_what_is_best(tmp_path, task, metric, direction, order):
    models = [
        folder(tmp_path / str(number), task, [record(number, **{metric: value})], best=number)
        for number, value in enumerate((0.7, 0.6, 0.8))
    ]
    best, board = select(tmp_path, models)
    assert (best.trial, best.objective, board["direction"]) == (order[0], metric, direction)
    assert [row["number"] for row in board["rows"]] == order
    assert json.loads((tmp_path / "best" / "model.json").read_text())["trial"] == order[0]
    assert not (tmp_path / "best" / "trials.json").exists()


def test_failed_trials_stand_last_and_ties_go_to_the_first_number(tmp_path):
    models = [
        folder(tmp_path / "a", "binary", [record(0), record(3, auc=0.8)], best=3),
        folder(tmp_path / "b", "binary", [record(2, auc=0.8), record(1)], best=2),
    ]
    best, board = select(tmp_path, models)
    assert best.trial == 2
    assert [row["number"] for row in board["rows"]] == [2, 3, 0, 1]
    assert (best.complete, best.failed) == (2, 2)


def test_too_few_complete_trials_end_the_run_with_the_first_errors(tmp_path):
    models = [
        folder(tmp_path / "a", "binary", [record(0), record(1)]),
        folder(tmp_path / "b", "binary", [record(2, auc=0.8)], best=2),
    ]
    with pytest.raises(
        BadInputError, match=r"1 of 3 trials are complete.*trial 0: broke 0; trial 1: broke 1"
    ):
        select(tmp_path, models, min_successful=2)
    assert not (tmp_path / "best").exists()


def test_no_task_at_all_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match="no trial was run"):
        select(tmp_path, [])


def test_a_folder_without_records_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(BadInputError, match=r"trials\.json"):
        select(tmp_path, [tmp_path / "a"])


def test_a_missing_winner_is_an_error(tmp_path):
    with pytest.raises(BadInputError, match="no task kept a model"):
        select(tmp_path, [folder(tmp_path / "a", "binary", [record(0, auc=0.8)])])


@pytest.mark.parametrize(
    "knob",
    [
        {"trial_timeout_seconds": 0.0},
        {"threads_per_trial": 0},
        {"verification_rows": 0},
        {"min_successful": 0},
    ],
)
def test_impossible_knobs_name_their_bound(knob):
    with pytest.raises(ValueError, match=f"{next(iter(knob))}.* must hold"):
        TrainingConfig(**knob)


def test_the_leaderboard_tells_history_importance_reference_and_failures(tmp_path):
    """Importance is Optuna's own: `learning_rate` alone decides here."""
    records = [
        TrialRecord(
            number=number, state="complete", metrics={"auc": 0.5 + number / 100},
            hyperparameters={"units": [8, 16][number % 2], "learning_rate": 0.001 * (number + 1)},
        )
        for number in range(12)
    ]  # fmt: skip
    point = {"units": 8, "learning_rate": 0.5}
    records.append(TrialRecord(number=12, state="failed", hyperparameters=point, error="broke <12>"))
    stopped = "stopped after epoch 2"
    records.append(TrialRecord(number=13, state="stopped", hyperparameters=point, error=stopped))
    models = [folder(tmp_path / "a", "binary", records, best=11)]
    best = select_best_model(
        models, best_model=tmp_path / "best", leaderboard=tmp_path / "board",
        report=tmp_path / "board.html", config=TrainingConfig(), reference={"auc": 0.58},
    )  # fmt: skip
    board = json.loads((tmp_path / "board" / "leaderboard.json").read_text())
    assert (best.complete, best.failed, best.stopped, board["best"]) == (12, 1, 1, 11)
    assert board["importance"]["learning_rate"] > 0.9
    assert board["reference"] == {"auc": 0.58}
    page = (tmp_path / "board.html").read_text()
    assert "reference, not deployable" in page
    assert "broke &lt;12&gt;" in page
    assert stopped in page
    assert page.count('class="trial"') == 12


def test_a_search_in_which_no_trial_keeps_the_constraints_says_so(tmp_path):
    models = [folder(tmp_path / "a", "binary", [record(0, auc=0.6)], best=0)]
    with pytest.raises(BadInputError, match=r"no trial keeps the constraints.*auc 0.6 < 0.9"):
        select(tmp_path, models, constraints={"auc": {"min": 0.9}})


def test_only_a_trial_whose_model_was_kept_can_win(tmp_path):
    models = [folder(tmp_path / "a", "binary", [record(0, auc=0.9), record(1, auc=0.8)], best=1)]
    best, board = select(tmp_path, models)
    assert (best.trial, board["best"]) == (1, 1)

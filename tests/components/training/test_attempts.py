"""What becomes of trials that go wrong, with a stand-in for their process: no training, any ending."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from components.training import attempt, train
from components.training.config import TrainingConfig
from components.training.records import read_records
from components.training.run_module import Ended

GOOD = {"auc": 0.7, "log_loss": 0.5, "accuracy": 0.6}


@pytest.fixture
def processes(monkeypatch):
    """Return a list to fill with endings, by number of the trial: a result, or how its process ended."""
    endings: dict[int, object] = {}

    def stand_in(module, job, **limits):
        output = Path(job).parent
        ending = endings.get(int(output.name), GOOD)
        if isinstance(ending, Ended):
            return ending
        (output / "model").mkdir()
        result = {"metrics": {}, "curve": [], "error": None, **ending} if "curve" in ending else {
            "metrics": ending, "curve": [], "error": None}  # fmt: skip
        (output / "result.json").write_text(json.dumps(result))
        return Ended(status=0, errors="", peak_bytes=1, reason=None)

    monkeypatch.setattr(attempt, "run_module", stand_in)
    monkeypatch.setattr(train, "verify_export", lambda *arguments, **more: {})
    return endings


def run(inputs, out, numbers, spares=(), *, limits=None, **knobs):
    trials = [{"number": one, "seed": one, "hyperparameters": {}} for one in (*numbers, *spares)]
    batch = {"trials": trials[: len(numbers)], "spares": trials[len(numbers) :], "round": 1.0}
    train.train_batch(
        batch if limits is None else {**batch, "limits": limits}, inputs, model=out,
        curves=out.with_suffix(".html"), module=None, config=TrainingConfig(**knobs),
    )  # fmt: skip
    return {record.number: record for record in read_records(out)[1]}


def ended(status, reason=None):
    return Ended(status=status, errors="", peak_bytes=1, reason=reason)


def test_each_way_to_fail_is_counted_told_and_replaced(prepared, processes, tmp_path):
    processes |= {
        0: ended(7), 1: ended(0, "time"), 2: {**GOOD, "auc": float("nan")}, 3: {"log_loss": 0.5},
        4: ended(-9), 5: ended(0, "memory"), 20: ended(-11),
    }  # fmt: skip
    found = run(prepared("binary"), tmp_path / "m", range(7), [20, 21, 22])
    assert Counter(record.state for record in found.values()) == {"failed": 7, "complete": 3}
    told = ["status 7", "took longer", "`auc` is nan, no number", "`auc` is missing", "killed twice",
            "out of memory"]  # fmt: skip
    for number, words in enumerate(told):
        assert re.search(re.escape(words), found[number].error)
    assert "signal 11" in found[20].error
    assert {record.round for record in found.values()} == {1}


def test_hundreds_of_trials_in_one_task_keep_their_records(prepared, processes, tmp_path):
    processes |= {number: ended(1) for number in range(0, 150, 3)}
    found = run(prepared("binary"), tmp_path / "m", range(150))
    assert len(found) == 150
    assert sum(record.state == "failed" for record in found.values()) == 50


def test_a_stopped_trial_is_neither_failed_nor_replaced(prepared, processes, tmp_path):
    curve = [{"epoch": 1, "train_loss": 1.0, "eval_loss": 0.9, "learning_rate": 0.1}]
    processes[1] = {"curve": curve, "error": "stopped after epoch 1", "stopped": True}
    found = run(prepared("binary"), tmp_path / "m", range(2), [9], limits=[0.5], stop_hopeless=True)
    assert {number: record.state for number, record in found.items()} == {0: "complete", 1: "stopped"}
    assert found[1].curve == curve


def test_trials_of_one_task_are_stopped_by_those_before_them(prepared, processes, tmp_path, monkeypatch):
    losses = [0.4, 0.5, 0.6, 0.7, 0.8]
    for number, loss in enumerate(losses):
        point = {"epoch": 1, "train_loss": 1.0, "eval_loss": loss, "learning_rate": 0.1}
        processes[number] = {"metrics": GOOD, "curve": [point]}
    limits = []
    write = attempt.write_job
    monkeypatch.setattr(
        attempt, "write_job", lambda file, job: (limits.append(job.limits), write(file, job))
    )
    run(prepared("binary"), tmp_path / "m", range(5), stop_hopeless=True)
    assert limits == [[], [], [], [], [pytest.approx(0.55)]]

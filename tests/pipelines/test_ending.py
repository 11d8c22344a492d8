"""What a person is told at the end of a run that did not succeed."""

import json

import pytest

from pipelines import execution
from pipelines.ending import failure_lines
from pipelines.local.events import Notice
from pipelines.local.result import RunResult
from pipelines.request import Request

REQUEST = Request(pipeline="training")


@pytest.fixture
def record(tmp_path):
    """A run in which two tasks failed, the second of them first."""
    (tmp_path / "logs").mkdir()
    for name in ("left", "right"):
        (tmp_path / "logs" / f"{name}.log").write_text("no\n")
    tasks = [{"name": name, "state": "FAILED"} for name in ("left", "right")]
    return {
        "run_id": "r1", "pipeline": "p", "state": "FAILED", "directory": str(tmp_path), "tasks": tasks,
        "outputs": {}, "error": "right: no disk",
    }  # fmt: skip


def test_task_and_log_are_of_the_task_that_the_error_names(record, tmp_path):
    told = dict(failure_lines(record, REQUEST))
    assert (told["task"], told["log"]) == ("right", str(tmp_path / "logs" / "right.log"))


@pytest.mark.parametrize(
    ("state", "offered"), [("REFUSED", ["repeat"]), ("FAILED", ["resume", "repeat"]), ("SUCCEEDED", [])]
)
def test_a_run_that_a_gate_refused_is_not_offered_to_go_on(record, state, offered):
    lines = failure_lines({**record, "state": state}, REQUEST)
    assert [name for name, _ in lines if name] == ["task", "log", *offered]


def test_a_page_that_cannot_be_written_is_told_and_does_not_hide_how_the_run_ended(
    record, tmp_path, monkeypatch
):
    (tmp_path / "run.json").write_text(json.dumps(record))
    ended = RunResult(
        run_id="r1", pipeline="p", state="REFUSED", exit_code=3, directory=tmp_path, seconds=1.0,
        returned=None, outputs={}, endpoint=None, error="no", tasks=(),
    )  # fmt: skip
    monkeypatch.setattr(execution, "_run", lambda request, on_event: ended)
    monkeypatch.setattr(execution, "write_report", lambda *given, **more: {}["tasks"])
    events = []
    assert execution.run_request(REQUEST, events.append).exit_code == 3
    assert events == [Notice(message="the run's page could not be written: KeyError: 'tasks'")]

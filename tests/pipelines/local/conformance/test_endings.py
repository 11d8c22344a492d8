"""How tasks end and what happens then: exit handlers, ignored failures, retries, timeouts, cancellation."""

import os
import signal
import threading
import time

import pytest
from kfp import dsl, kubernetes

from pipelines.local.failure import wait_before
from pipelines.local.plan import Retry
from pipelines.local.store import Store, protos
from tests.pipelines.local.conformance.cases import add, door, fail, flaky, note, say, tell


@door
def nap(file: str, seconds: float):
    import time

    open(file, "a").write("began\n")  # noqa: SIM115 - one line
    time.sleep(seconds)


@door
def refuse(file: str, code: int):
    open(file, "a").write("x")  # noqa: SIM115 - one line
    raise SystemExit(code)


@dsl.pipeline(name="exits")
def with_exit_handler(file: str, work: str):
    with dsl.ExitHandler(tell(file=file)), dsl.If(work == "bad"):
        fail()


@dsl.pipeline(name="long")
def with_long_work(file: str, seconds: float):
    with dsl.ExitHandler(tell(file=file)):
        nap(file=file, seconds=seconds)


# The states are those of ML Metadata, the error is empty: backend/src/v2/driver/resolve.go.
@pytest.mark.parametrize(
    ("work", "state", "status"), [("good", "SUCCEEDED", "COMPLETE"), ("bad", "FAILED", "FAILED")]
)
def test_exit_task_learns_how_its_body_ended(run, tmp_path, work, state, status):
    result = run(with_exit_handler, file=str(tmp_path / "said"), work=work)
    assert result.state == state
    assert (tmp_path / "said").read_text() == f"{status} exit-handler-1 None\n"


def test_exit_task_is_executed_when_the_run_is_cancelled(run, tmp_path):
    said = tmp_path / "said"

    def interrupt():
        while not said.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    result = run(with_long_work, file=str(said), seconds=60.0)
    thread.join()
    assert result.state == "CANCELLED"
    assert result.exit_code == 130
    assert said.read_text() == "began\nCANCELED exit-handler-1 None\n"


# `ALL_UPSTREAM_TASKS_COMPLETED` and the default that the SDK demands: sdk/python/kfp/dsl/pipeline_task.py.
def test_ignored_failure_executes_the_task_with_its_default_and_the_run_is_still_failed(run):
    @door
    def show(text: str = "default") -> str:
        return text

    @dsl.pipeline(name="ignored")
    def pipeline():
        shown = show(text=fail().output).ignore_upstream_failure()
        say(text=shown.output)

    result = run(pipeline)
    assert result.state == "FAILED"
    assert result.outputs["say"]["Output"] == "default"


def test_failed_task_is_tried_again_until_it_succeeds(run, tmp_path):
    @dsl.pipeline(name="retried")
    def pipeline(file: str) -> int:
        return flaky(file=file, good=3).set_retry(2, backoff_duration="0s").output

    result = run(pipeline, file=str(tmp_path / "tries"))
    assert result.state == "SUCCEEDED"
    assert result.returned == {"Output": 3}
    assert [task.attempts for task in result.tasks] == [3]
    logs = sorted(file.name for file in (result.directory / "logs").iterdir())
    assert logs == ["flaky.attempt-1.log", "flaky.attempt-2.log", "flaky.log"]


def test_task_that_fails_more_often_than_it_may_fails_the_run(run, tmp_path):
    @dsl.pipeline(name="exhausted")
    def pipeline(file: str):
        flaky(file=file, good=3).set_retry(1, backoff_duration="0s")

    result = run(pipeline, file=str(tmp_path / "tries"))
    assert result.state == "FAILED"
    assert (tmp_path / "tries").read_text() == "xx"


# Not as Argo does it: by 2 and 3 our programs say that to repeat them cannot help (common/errors.py).
@pytest.mark.parametrize(("code", "tries"), [(2, 1), (3, 1), (4, 3)])
def test_what_a_door_calls_final_is_not_tried_again(run, tmp_path, code, tries):
    @dsl.pipeline(name="final")
    def pipeline(file: str, code: int):
        refuse(file=file, code=code).set_retry(2, backoff_duration="0s")

    result = run(pipeline, file=str(tmp_path / "tries"), code=code)
    assert (result.state, result.exit_code) == ("REFUSED" if code == 3 else "FAILED", code)
    assert (tmp_path / "tries").read_text() == "x" * tries


# Argo: each wait is `factor` times the one before, and none begins after the longest duration.
def test_waits_between_attempts_grow_and_end():
    retry = Retry(limit=3, wait=2.0, factor=1.5, within=10.0)
    assert [wait_before(retry, attempt, 0.0) for attempt in (1, 2, 3, 4)] == [2.0, 3.0, 4.5, None]
    assert wait_before(retry, 1, 11.0) is None
    assert wait_before(Retry(), 1, 0.0) is None


def test_task_that_takes_too_long_is_ended(run, tmp_path):
    @dsl.pipeline(name="slow")
    def pipeline(file: str):
        kubernetes.set_timeout(nap(file=file, seconds=60.0), 1)

    began = time.monotonic()
    result = run(pipeline, file=str(tmp_path / "said"))
    assert result.state == "FAILED"
    assert "timed out after 1 s" in result.error
    assert time.monotonic() - began < 20


# A DAG that does not trigger is CANCELED there: backend/src/v2/metadata/client.go, NotTriggered.
def test_branch_that_is_not_taken_is_canceled_in_ml_metadata(run, root):
    @dsl.pipeline(name="branches")
    def pipeline(n: int = 1):
        with dsl.If(n == 1):
            add(a=1)
        with dsl.Else():
            say(text="other")

    assert run(pipeline).state == "SUCCEEDED"
    found = {
        execution.custom_properties["task_name"].string_value: execution.last_known_state
        for execution in Store(root / "metadata.sqlite").call("get_executions")
    }
    complete, canceled = protos().Execution.COMPLETE, protos().Execution.CANCELED
    assert found == {
        "": complete, "condition-branches-1": complete, "condition-2": complete, "add": complete,
        "condition-3": canceled,
    }  # fmt: skip


def test_task_after_an_exit_handler_that_fails_is_skipped(run, tmp_path):
    @dsl.pipeline(name="after")
    def pipeline(file: str):
        with dsl.ExitHandler(tell(file=file)):
            failed = fail()
            note(file=file, text="never").after(failed)

    result = run(pipeline, file=str(tmp_path / "said"))
    assert {task.name: task.state for task in result.tasks} == {
        "fail": "FAILED", "note": "SKIPPED", "tell": "SUCCEEDED",
    }  # fmt: skip

"""Several at once on one root, and tasks that do not listen."""

# ruff: noqa: SIM115, T201 - doors are one-liners here, in the types that KFP takes

import json
import os
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from kfp import compiler, dsl

from pipelines.local.launch import LOG_LIMIT_BYTES
from tests.pipelines.local.faults.crash import kill_machine
from tests.pipelines.local.faults.trials import Trials, facts, outputs

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def deaf(mark: str) -> str:
    import os
    import pathlib
    import signal
    import time

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path(mark + ".new").write_text(str(os.getpid()))
    if not pathlib.Path(mark).exists():
        os.rename(mark + ".new", mark)
        time.sleep(100)
    return "heard"


@dsl.pipeline(name="deafness")
def deafness(mark: str):
    deaf(mark=mark)


@door
def stumble(place: str):
    import os
    import time

    with open(place, "a") as lines:
        lines.write("tried\n")
    if len(open(place).readlines()) == 2:
        os.rename(place + ".new", place + ".second")
        time.sleep(100)
    raise SystemExit("no luck")


@dsl.pipeline(name="stumbling")
def stumbling(place: str):
    stumble(place=place).set_retry(num_retries=2, backoff_duration="0s")


@door
def chatter(megabytes: int) -> str:
    for _ in range(megabytes):
        print("x" * ((1 << 20) - 1))
    return "said"


@dsl.pipeline(name="talking")
def talking(megabytes: int):
    chatter(megabytes=megabytes)


@pytest.fixture
def of(tmp_path):
    """Make trials of a pipeline with some parameters."""

    def make(pipeline, **parameters):
        package = tmp_path / f"{pipeline.name}.yaml"
        compiler.Compiler().compile(pipeline, str(package))
        return Trials(package, parameters, tmp_path)

    return make


def test_equal_runs_at_once_on_one_root_are_both_whole(trials):
    root = trials.root("both")
    running = [trials.start(name, root) for name in ("both-1", "both-2")]
    assert [trials.end(one) for one in running] == [0, 0]
    records = [json.loads(file.read_text()) for file in root.glob("*/*/run.json")]
    clean = json.loads(next(trials.root("clean").glob("*/*/run.json")).read_text())
    assert [outputs(one) for one in records] == [outputs(clean)] * 2


def test_of_two_who_go_on_with_a_run_one_does(trials):
    assert trials.run("twice", after=trials.seconds * 0.3) == -signal.SIGKILL
    (run,) = trials.root("twice").glob("*/*/run.json")
    running = [trials.start(name, trials.root("twice"), run.parent.name) for name in ("twice-1", "twice-2")]
    ended = [trials.end(one) for one in running]
    assert Counter(ended) in (Counter([0, 4]), Counter([0, 0])), (
        ended
    )  # 0 twice: one came when all was done
    said = [
        trials.said(name) for name, code in zip(("twice-1", "twice-2"), ended, strict=True) if code == 4
    ]
    assert all("the run is under way" in text for text in said)
    assert facts(trials.root("twice")) == facts(trials.root("clean"))


def test_task_that_does_not_listen_is_ended_after_its_grace_and_executed_again(of, tmp_path):
    mark = tmp_path / "mark"
    trials = of(deafness, mark=str(mark))
    running = trials.start("deaf", trials.root("deaf"), grace=0.5)
    deadline = time.monotonic() + 30
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGTERM)
    assert trials.end(running) == 130
    assert not Path(f"/proc/{mark.read_text()}").exists()
    assert trials.go_on("deaf") == 0, trials.said("deaf")
    assert facts(trials.root("deaf")).outputs == {"deaf": {"Output": "heard"}}


def test_log_without_end_is_bounded_and_the_task_goes_on(of):
    trials = of(talking, megabytes=80)
    assert trials.run("talk") == 0
    (log,) = trials.root("talk").glob("*/*/logs/chatter.log")
    assert log.stat().st_size < LOG_LIMIT_BYTES + 200
    with log.open("rb") as stream:
        stream.seek(-100, os.SEEK_END)
        assert b"[log cut here: a task may write 64 MiB]" in stream.read()


def test_attempts_before_a_kill_count_and_those_before_a_failure_do_not(of, tmp_path):
    place, new, second = (tmp_path / name for name in ("place", "place.new", "place.second"))
    new.touch()
    trials = of(stumbling, place=str(place))
    running = trials.start("retries", trials.root("retries"))
    deadline = time.monotonic() + 30
    while not second.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    kill_machine(running.pid)
    assert trials.end(running) == -signal.SIGKILL
    assert trials.go_on("retries") == 1  # one attempt is left: it was the third
    assert len(place.read_text().splitlines()) == 3
    assert trials.go_on("retries") == 1  # the task had failed for good: it has all three again
    assert len(place.read_text().splitlines()) == 6

"""What is released again while it has a share, and beside what: at a target that is played."""

import shlex
from dataclasses import replace
from itertools import pairwise

import pytest

from components.common.config import build_config
from components.common.errors import BadInputError, RefusedError
from components.deployment import watch
from components.deployment.again import release_again
from components.deployment.config import DeployConfig
from components.deployment.release import HeldError
from components.deployment.tally import Tally
from components.deployment.target import Wanted
from pipelines.commands.options import read_knobs
from tests.components.deployment.played_target import PlayedTarget
from tests.components.deployment.test_restore import STEPS, release


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(watch, "_WATCH_SECONDS", 0.0)


def held(config=STEPS):
    """Have a new model held at a share, since nobody asked anything; returns the target and the error."""
    target = PlayedTarget("old")
    target.counts = {"old": {"o": Tally()}, "new": {"n": Tally()}}
    with pytest.raises(HeldError) as told:
        release(target, "new", replace(config, deadline_seconds=0.1))
    assert target.weights == {"old": 80, "new": 20}
    return target, str(told.value)


@pytest.mark.parametrize("strategy", ["canary", "replace"])
def test_a_held_model_gets_not_all_requests_by_leaving_its_steps_out(strategy):
    target, _ = held()
    told = (
        r"new has 20 % of the requests, and would get all unjudged.*deploy\.steps.*got \[100\].*\[20, 100\]"
        r"; `millrace promote m --target kserve[^`]*` does not judge, and `millrace rollback m "
    )
    with pytest.raises(BadInputError, match=told):
        release(target, "new", DeployConfig(target="kserve", strategy=strategy))
    assert target.weights == {"old": 80, "new": 20}
    assert target.holder is None


def test_a_held_model_goes_on_by_other_steps_from_its_share():
    target, _ = held()
    with pytest.raises(HeldError, match="cannot be judged at 20 %"):
        release(target, "new", replace(STEPS, steps=[5, 100], deadline_seconds=0.1))
    assert target.weights == {"old": 80, "new": 20}


def test_another_model_may_have_all_requests_while_one_is_held():
    target, _ = held()
    assert release(target, "other", DeployConfig()).weights == {"other": 100}


def test_the_old_model_may_have_all_requests_again_while_one_is_held():
    target, _ = held()
    assert release(target, "old", DeployConfig()).weights == {"old": 100}


@pytest.mark.parametrize("target", ["local", "kserve"])
def test_the_command_that_goes_on_releases_as_before(target):
    """What the shell makes of the printed command is read as `millrace release` reads it."""
    about = {"namespace": "a-team", "prometheus": "http://prometheus.monitoring:9090"}
    config = replace(STEPS, target=target, level=0.02, kserve=about, deadline_seconds=0.1)
    _, told = held(config)
    command = shlex.split(told.split("`")[1])
    assert command[:5] == ["millrace", "release", "s3://b/new", "--name", "m"]
    knobs = [word for before, word in pairwise(command) if before == "-p"]
    assert "steps=[20,100]" in knobs
    assert ("--target" in command) == (target == "kserve")
    assert build_config(DeployConfig, read_knobs(target, knobs), where="deploy") == config


def test_the_store_of_kfp_is_named_as_the_command_reads_it():
    """`minio://` is KFP's word for the S3 of its own installation; fsspec has no such protocol."""
    wanted = Wanted(name="m", revision="r", model_uri="minio://mlpipeline/m", model_digest="d")
    told = release_again(wanted, DeployConfig(target="local", steps=[5, 100]))
    assert told == "`millrace release s3://mlpipeline/m --name m -p steps=[5,100]`"


def failing(target, looks):
    """Have the old revision be seen as failed so many times from now on."""
    observe, seen = target.observe, []

    def look(name):
        found = observe(name)
        seen.append(1)
        if len(seen) > looks:
            return found
        revisions = tuple(
            replace(each, state="failed") if each.revision == "old" else each for each in found.revisions
        )
        return replace(found, revisions=revisions)

    target.observe = look


def test_an_old_model_that_fails_for_a_moment_is_still_judged_against(monkeypatch):
    target = PlayedTarget("old")
    failing(target, 1)
    judged = []
    monkeypatch.setattr(
        "components.deployment.release.watch_step", lambda *_, **__: judged.append(1) or _passed()
    )
    assert release(target, "new").weights == {"new": 100}
    assert judged


def test_an_old_model_that_fails_for_a_moment_is_no_reason_to_leave_out_the_steps():
    target, _ = held()
    failing(target, 1)
    with pytest.raises(BadInputError, match="would get all unjudged"):
        release(target, "new", DeployConfig())
    assert target.weights == {"old": 80, "new": 20}


def test_beside_an_old_model_that_has_failed_for_long_there_is_nothing_to_judge(monkeypatch):
    def watch_step(*_, **__):
        raise RefusedError("judged")

    monkeypatch.setattr("components.deployment.release.watch_step", watch_step)
    target = PlayedTarget("old")
    failing(target, 1000)
    assert release(target, "new").weights == {"new": 100}


def _passed():
    return watch.Judgement(verdict="pass", requests=(1, 1))

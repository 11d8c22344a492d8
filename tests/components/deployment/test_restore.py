"""What a release leaves behind that does not come to its end, at a target that is played."""

from dataclasses import replace

import pytest

from components.common.errors import RefusedError, UnavailableError
from components.deployment import watch
from components.deployment.candidate import Candidate
from components.deployment.config import DeployConfig
from components.deployment.release import HeldError, release_model
from components.deployment.tally import Tally
from components.deployment.target import ClaimedError, Wanted
from tests.components.deployment.played_target import PlayedTarget

STEPS = DeployConfig(steps=[20, 100], interval_seconds=0, min_requests=1)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(watch, "_WATCH_SECONDS", 0.0)


def release(target, revision, config=STEPS):
    """Release a model without golden requests."""
    wanted = Wanted(name="m", revision=revision, model_uri=f"s3://b/{revision}", model_digest=revision)
    return release_model(target, Candidate(wanted=wanted), config=config, holder="run 1")


@pytest.mark.parametrize("error", [RefusedError("worse"), UnavailableError("away"), ZeroDivisionError()])
def test_any_error_brings_back_what_was(monkeypatch, error):
    def judge(*_, **__):
        raise error

    monkeypatch.setattr("components.deployment.release.watch_step", judge)
    target = PlayedTarget("old")
    with pytest.raises(type(error)):
        release(target, "new")
    assert target.weights == {"old": 100}


def test_who_is_not_ready_at_a_share_is_undone_in_time():
    target = PlayedTarget("old")
    target.at_share = lambda each: replace(each, state="starting", reason="its pod was evicted")
    config = replace(STEPS, timeout_seconds=0.3)
    with pytest.raises(UnavailableError, match=r"in time: its pod was evicted.*old serves as before"):
        release(target, "new", config)
    assert target.weights == {"old": 100}


def test_who_is_not_ready_at_a_share_for_a_moment_goes_on():
    target, looks = PlayedTarget("old"), []

    def scaling(each):
        looks.append(each)
        return replace(each, state="starting") if len(looks) == 2 else each

    target.at_share = scaling
    target.counts = {"old": Tally(), "new": Tally()}
    with pytest.raises(HeldError):
        release(target, "new", replace(STEPS, deadline_seconds=0.2))
    assert len(looks) > 2
    assert target.weights == {"old": 80, "new": 20}


def test_who_lost_the_name_to_another_changes_nothing_there_any_more(monkeypatch):
    target = PlayedTarget("old")

    def lose(*_, check, **__):
        target.fails["claim"] = ClaimedError("run 2 is releasing under this name now")
        check()

    monkeypatch.setattr("components.deployment.release.watch_step", lose)
    with pytest.raises(ClaimedError, match=r"^run 2 is releasing"):
        release(target, "new")
    assert target.weights == {"old": 80, "new": 20}

"""What a release leaves behind that does not come to its end, at a target that is played."""

import pytest

from components.common.errors import RefusedError, UnavailableError
from components.deployment import watch
from components.deployment.candidate import Candidate
from components.deployment.config import DeployConfig
from components.deployment.release import release_model
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


def test_who_lost_the_name_to_another_changes_nothing_there_any_more(monkeypatch):
    target = PlayedTarget("old")

    def lose(*_, check, **__):
        target.fails["claim"] = ClaimedError("run 2 is releasing under this name now")
        check()

    monkeypatch.setattr("components.deployment.release.watch_step", lose)
    with pytest.raises(ClaimedError, match=r"^run 2 is releasing"):
        release(target, "new")
    assert target.weights == {"old": 80, "new": 20}

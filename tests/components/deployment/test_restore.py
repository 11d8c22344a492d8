"""What a release leaves behind that does not come to its end, at a target that is played."""

from dataclasses import replace

import pytest

from components.common.errors import RefusedError, UnavailableError
from components.deployment import watch
from components.deployment.candidate import Candidate
from components.deployment.config import DeployConfig
from components.deployment.release import HeldError, release_model
from components.deployment.roll_back import promote_model
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
    target.counts = {"old": {"o": Tally()}, "new": {"n": Tally()}}
    with pytest.raises(HeldError):
        release(target, "new", replace(STEPS, deadline_seconds=0.2))
    assert len(looks) > 2
    assert target.weights == {"old": 80, "new": 20}


def test_who_is_not_ready_at_a_share_for_a_second_time_is_undone():
    target, looks = PlayedTarget("old"), []

    def come_and_go(each):
        looks.append(each)
        return replace(each, state="starting") if len(looks) % 3 == 2 else each

    target.at_share = come_and_go
    with pytest.raises(RefusedError, match=r"new comes and goes: not ready 2 times at 20 %.*old serves as"):
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


@pytest.fixture
def target_with_all_requests_at_the_new_one():
    """A release that was killed after its last shift: the old one stands, without a share."""
    target = PlayedTarget("old")
    target.apply(Wanted(name="m", revision="new", model_uri="s3://b/new", model_digest="new"))
    target.weigh("m", {"new": 100})
    return target


def without_a_single_answer(monkeypatch, times, error):
    """Have the last proof fail so many times; returns what counts them."""
    asked = []

    def prove(*_, **__):
        asked.append(1)
        if len(asked) <= times:
            raise error
        return []

    monkeypatch.setattr("components.deployment.release.prove_revision", prove)
    return asked


def test_an_endpoint_that_does_not_answer_its_last_proof_at_once_is_asked_again(monkeypatch):
    asked = without_a_single_answer(monkeypatch, 2, UnavailableError("the endpoint answers 503"))
    target = PlayedTarget("old")
    assert release(target, "new", DeployConfig()).weights == {"new": 100}
    assert len(asked) == 3


def test_an_endpoint_that_never_answers_its_last_proof_is_undone(monkeypatch):
    monkeypatch.setattr("components.deployment.release._ALL_SECONDS", 0.5)
    asked = without_a_single_answer(monkeypatch, 1000, UnavailableError("the endpoint answers 503"))
    target = PlayedTarget("old")
    with pytest.raises(UnavailableError, match=r"answers 503.*revision old serves as before"):
        release(target, "new", DeployConfig())
    assert 1 < len(asked) < 1000
    assert target.weights == {"old": 100}


def answer_otherwise(*_, **__):
    raise RefusedError("the endpoint answers otherwise")


def test_who_answers_otherwise_when_gone_on_with_has_all_requests_no_longer(
    monkeypatch, target_with_all_requests_at_the_new_one
):
    target = target_with_all_requests_at_the_new_one
    monkeypatch.setattr("components.deployment.release.prove_revision", answer_otherwise)
    with pytest.raises(RefusedError, match=r"answers otherwise.*revision old serves as before \(ready\)$"):
        release(target, "new")
    assert target.weights == {"old": 100}


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (["older", "old"], r": `millrace rollback m --target kserve` releases the one before$"),
        (["old"], r", nor was another released before: release one$"),
    ],
)
def test_who_answers_otherwise_with_nothing_beside_it_serves_on_and_that_is_told(monkeypatch, before, told):
    target = PlayedTarget(*before)
    monkeypatch.setattr("components.deployment.release.prove_revision", answer_otherwise)
    told = rf"answers otherwise.*old serves as before.*nothing stands beside it{told}"
    with pytest.raises(RefusedError, match=told):
        release(target, "old", replace(STEPS, target="kserve"))
    assert target.weights == {"old": 100}


def test_who_has_all_requests_already_goes_on_without_a_step_back(target_with_all_requests_at_the_new_one):
    target = target_with_all_requests_at_the_new_one
    target.counts = {"old": {"o": Tally()}, "new": {"n": Tally()}}  # a step would be held
    assert release(target, "new").weights == {"new": 100}
    assert target.weights == {"new": 100}


def test_who_has_all_requests_while_the_old_one_stands_is_promoted_to_the_end(
    monkeypatch, tmp_path, target_with_all_requests_at_the_new_one
):
    target = target_with_all_requests_at_the_new_one
    for module in ("roll_back", "deploy"):
        monkeypatch.setattr(f"components.deployment.{module}.open_target", lambda _: target)
    promote_model(tmp_path / "e", model_name="m", config=DeployConfig(target="local"))
    assert target.weights == {"new": 100}

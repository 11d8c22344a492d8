"""How far a rollback goes, at a target that is played, and at a real supervisor."""

import pytest

from components.common.errors import BadInputError
from components.common.seal import model_digest
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.local import LocalTarget
from components.deployment.release import HeldError
from components.deployment.roll_back import promote_model, roll_back_model
from components.deployment.target import Wanted
from tests.components.deployment.played_target import PlayedTarget

CONFIG = DeployConfig(target="local")


def roll_back(monkeypatch, target, out, revision=None):
    monkeypatch.setattr("components.deployment.roll_back.open_target", lambda _: target)
    monkeypatch.setattr("components.deployment.deploy.open_target", lambda _: target)
    return roll_back_model(out / "e", model_name="m", revision=revision, config=CONFIG)


@pytest.mark.parametrize("share", [0, 25, 75, 100])
def test_what_is_half_done_is_ended_and_nothing_more(monkeypatch, tmp_path, share):
    target = PlayedTarget("older", "old")
    target.apply(Wanted(name="m", revision="new", model_uri="s3://b/new", model_digest="new"))
    target.weigh("m", {"new": share, "old": 100 - share})
    assert roll_back(monkeypatch, target, tmp_path).revision == "old"
    assert target.weights == {"old": 100}
    assert roll_back(monkeypatch, target, tmp_path).revision == "older"  # now there is nothing half done
    assert target.weights == {"older": 100}


def decided_before_the_claim(monkeypatch, *, promoted):
    """A release by half, which another ends while this one waits for its claim."""
    target = PlayedTarget("older", "old")
    target.apply(Wanted(name="m", revision="new", model_uri="s3://b/new", model_digest="new"))
    target.weigh("m", {"new": 50, "old": 50})
    claim, others = target.claim, iter([("new", "old") if promoted else ("old", "new")])

    def claim_after_another(*given):
        for kept, ended in others:
            target.weigh("m", {kept: 100})
            target.remove("m", ended)
        claim(*given)

    monkeypatch.setattr(target, "claim", claim_after_another)
    return target


def test_a_rollback_goes_by_what_is_deployed_when_its_turn_comes(monkeypatch, tmp_path):
    target = decided_before_the_claim(monkeypatch, promoted=True)
    assert roll_back(monkeypatch, target, tmp_path).revision == "old"
    assert target.weights == {"old": 100}
    assert target.holder is None


def test_what_another_has_ended_is_not_promoted_any_more(monkeypatch, tmp_path):
    target = decided_before_the_claim(monkeypatch, promoted=False)
    for module in ("roll_back", "deploy"):
        monkeypatch.setattr(f"components.deployment.{module}.open_target", lambda _: target)
    with pytest.raises(BadInputError, match=r"nothing to promote.*old has all requests"):
        promote_model(tmp_path / "e", model_name="m", config=CONFIG)
    assert target.weights == {"old": 100}
    assert target.holder is None


def test_a_named_model_is_released_though_another_is_half_done(monkeypatch, tmp_path):
    target = PlayedTarget("older", "old")
    target.apply(Wanted(name="m", revision="new", model_uri="s3://b/new", model_digest="new"))
    assert roll_back(monkeypatch, target, tmp_path, revision="older").revision == "older"
    assert target.weights == {"older": 100}


def test_a_revision_without_a_share_is_ended_by_a_supervisor(models, golden, serving, supervisor, tmp_path):
    for name, weight in (("first", 1.0), ("second", 2.0)):
        deploy(models[name], golden[weight], tmp_path / name, model_name="half", config=CONFIG)
    first, second = (model_digest(models[name]) for name in ("first", "second"))
    beside = Wanted(name="half", revision=first[:12], model_uri=str(models["first"]), model_digest=first)
    LocalTarget.from_environment().apply(beside)  # and the task that did it is killed
    back = roll_back_model(tmp_path / "e", model_name="half", revision=None, config=CONFIG)
    assert back.revision == second[:12]
    assert [each["revision"] for each in serving("half").revisions] == [second[:12]]
    supervisor.stop("half")


def test_an_engine_that_was_asked_for_is_kept_by_promote_and_rollback(
    models, serving, supervisor, tmp_path
):
    def engine():
        (revision,) = serving("engines").revisions
        return revision["engine"]

    steps = {"steps": [25, 100], "interval_seconds": 0.1, "deadline_seconds": 0.1}
    deploy(models["first"], models["first"], tmp_path / "1", model_name="engines", config=CONFIG)
    held = DeployConfig(target="local", engine="tensorflow", **steps)
    with pytest.raises(HeldError):
        deploy(models["second"], models["second"], tmp_path / "2", model_name="engines", config=held)
    promote_model(tmp_path / "3", model_name="engines", config=CONFIG)
    assert engine() == "tensorflow"
    roll_back_model(tmp_path / "4", model_name="engines", revision=None, config=CONFIG)
    assert engine() == "twin"
    roll_back_model(tmp_path / "5", model_name="engines", revision=None, config=CONFIG)
    assert engine() == "tensorflow"
    supervisor.stop("engines")

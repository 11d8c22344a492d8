"""Pods that are ready late, or never, or come and go: what a release to KServe makes of them."""

import threading
import time
from contextlib import contextmanager

import pytest

from components.common.errors import ComponentError, RefusedError, UnavailableError
from components.deployment import release as machine
from components.deployment.kserve_api import MANAGER
from components.deployment.kserve_document import owned
from tests.cluster.nodes import await_so
from tests.cluster.releases import (
    SHAPES,
    A,
    B,
    deployments,
    live,
    release,
    shares,
    steps,
    template_uri,
    uri,
)

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("routing")]

OLD, NEW = A[:12], B[:12]


@contextmanager
def meanwhile(is_so, act):
    """Do something in the background once something is so."""

    def work():
        await_so(is_so)
        act()

    working = threading.Thread(target=work)
    working.start()
    yield
    working.join()


def becomes(played, behaviour, *, at):
    """Have the new model's pods behave otherwise once it is asked to have a share."""
    has = lambda: shares(live(played)).get(NEW) == at  # noqa: E731
    return meanwhile(has, lambda: played.behaviour.update({uri(B): behaviour}))


@pytest.fixture(params=SHAPES)
def serving(request, target_of):
    """A model that serves, by each shape; returns what makes targets of that shape."""
    shape = SHAPES[request.param]
    release(target_of(**shape), A)
    return lambda **knobs: target_of(**shape, **knobs)


def test_a_model_that_is_ready_late_but_in_time_is_promoted(serving, played):
    played.behaviour[uri(B)] = "slow"
    made = meanwhile(
        lambda: len(played.revisions["flights-predictor"]) == 2 or _is_progressing(played),
        lambda: played.behaviour.update({uri(B): "ready"}),
    )
    with made:
        assert release(serving(), B).weights == {NEW: 100}


def _is_progressing(played):
    """Whether a Deployment rolls out a model that is not ready."""
    told = [one for each in deployments(played).values() for one in each["status"].get("conditions", [])]
    return any(one.get("reason") == "ReplicaSetUpdated" for one in told)


def test_a_model_that_is_not_ready_in_time_is_taken_back(serving, played):
    before = live(played)
    played.behaviour[uri(B)] = "slow"
    with pytest.raises(UnavailableError, match=rf"{NEW} was not ready in time.*{OLD} serves as before"):
        release(serving(timeout_seconds=2.0), B)
    assert owned(live(played), MANAGER)["spec"] == owned(before, MANAGER)["spec"]


FLAPS = {
    "Standard": (UnavailableError, r"came and went \d+ times: CanaryPredictorReady is not so"),
    "Knative": (RefusedError, r"does not start: .*failed with message: Container exited 1"),
}


@pytest.mark.parametrize("mode", FLAPS)
def test_a_model_that_comes_and_goes_before_it_has_a_share_gets_none(target_of, played, mode, monkeypatch):
    release(target_of(**SHAPES[mode]), A)
    before = live(played)
    monkeypatch.setattr("components.deployment.kserve._SECONDS_BETWEEN", 0.5)
    played.behaviour[uri(B)], played.turn = "flapping", 0.7
    error, told = FLAPS[mode]
    with pytest.raises(error, match=rf"{told}.*{OLD} serves as before"):
        release(target_of(**SHAPES[mode], timeout_seconds=4.0), B)
    assert {one.get(NEW, 0) for one in steps(played, before)} == {0}


LONG = {"steps": [25, 100], "interval_seconds": 60.0}


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("Standard", f"{NEW} comes and goes: not ready 2 times at 25 %"),
        ("Knative", f"{NEW} does not start: .*failed with message: Container exited 1"),
    ],
)
def test_a_model_that_comes_and_goes_at_a_share_is_taken_back(target_of, counts, played, mode, told):
    shape = {"kserve": {"mode": mode, "prometheus": counts.address}}
    release(target_of(**shape), A)
    spec = owned(live(played), MANAGER)["spec"]
    played.turn = 1.5
    with becomes(played, "flapping", at=25), pytest.raises(RefusedError, match=told):
        release(target_of(**shape, **LONG), B)
    assert owned(live(played), MANAGER)["spec"] == spec


def test_a_model_that_is_away_once_at_a_share_goes_on(target_of, counts, played):
    knobs = {
        "kserve": {"prometheus": counts.address},
        "steps": [25, 100],
        "min_requests": 100,
        "deadline_seconds": 20.0,
    }
    release(target_of(**knobs), A)
    away = []

    def move():
        played.behaviour[uri(B)] = "dying"
        await_so(lambda: not live(played)["status"]["canaryStatuses"][0]["ready"])
        away.append(True)
        played.behaviour[uri(B)] = "ready"

    with meanwhile(lambda: shares(live(played)).get(NEW) == 25, move):
        assert release(target_of(**knobs, interval_seconds=4.0), B).weights == {NEW: 100}
    assert away == [True]


def test_a_canary_that_dies_at_a_share_is_taken_back(target_of, played):
    release(target_of(strategy="replace"), A)
    spec = owned(live(played), MANAGER)["spec"]
    told = pytest.raises(UnavailableError, match=r"not ready in time: .*CanaryPredictorReady is not so")
    with becomes(played, "dying", at=25), told:
        release(target_of(**LONG, timeout_seconds=8.0), B)
    assert owned(live(played), MANAGER)["spec"] == spec
    await_so(lambda: list(deployments(played)) == ["flights-predictor"])


@pytest.mark.parametrize("mode", FLAPS)
def test_a_model_that_dies_when_it_gets_all_requests_is_taken_back(target_of, played, mode, monkeypatch):
    release(target_of(**SHAPES[mode]), A)
    spec = owned(live(played), MANAGER)["spec"]
    monkeypatch.setattr(machine, "_ALL_SECONDS", 2.0)
    told = pytest.raises(ComponentError, match=rf"not released: .*{OLD} serves as before")
    with becomes(played, "dying", at=100), told:
        release(target_of(**SHAPES[mode]), B)
    assert owned(live(played), MANAGER)["spec"] == spec


@pytest.mark.parametrize("mode", FLAPS)
def test_a_model_that_is_put_back_is_said_to_serve_when_its_pods_do(target_of, played, mode, monkeypatch):
    knobs = {"strategy": "replace", "kserve": {"mode": mode}}
    release(target_of(**knobs), A)
    serving = []

    def prove(*_, **__):
        played.behaviour[uri(A)] = "slow"
        raise RefusedError("answers otherwise")

    def start():
        time.sleep(2.0)
        found = target_of(**knobs).observe("flights").stable
        serving.append((found.revision, found.state))
        played.behaviour[uri(A)] = "ready"

    def is_put_back():
        if mode == "Knative":
            return len(played.revisions["flights-predictor"]) == 3
        return live(played)["status"]["observedGeneration"] == 3 and template_uri(played) == uri(A)

    monkeypatch.setattr(machine, "prove_revision", prove)
    told = pytest.raises(RefusedError, match=rf"answers otherwise.*{OLD} serves as before \(ready\)")
    with meanwhile(is_put_back, start):
        with told:
            release(target_of(**knobs), B)
        assert serving == [(OLD, "starting")]

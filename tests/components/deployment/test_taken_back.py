"""What is worse is taken back: real servers, 200 requests a second, open-loop, on loopback."""

import contextlib
import os
import signal
import threading
import time
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.common.errors import RefusedError, UnavailableError
from components.deployment import release
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from tests.components.deployment.conftest import BROKEN_SEATS
from tests.components.deployment.killed_task import run
from tests.components.deployment.watched import Weights, revision_of, weights
from tests.open_load import open_load
from tests.tiny_model import ROWS

pytestmark = pytest.mark.faults

DETECTED_SECONDS = 2.0  # issue 9: from detection to 100 % old
STEPS = DeployConfig(
    target="local", steps=[25, 100], interval_seconds=2, min_requests=40, deadline_seconds=20,
    max_latency_ratio=50, max_prediction_shift=1,
)  # fmt: skip


@contextlib.contextmanager
def slowing(serving, name, revision):
    """Stop a revision's process for 50 of every 60 ms, while it has a share."""
    ended = threading.Event()

    def stop_and_go():
        while not ended.wait(0.01):
            for each in serving(name).revisions:
                if each["revision"] == revision and each["weight"] and each["pid"]:
                    os.kill(each["pid"], signal.SIGSTOP)
                    time.sleep(0.05)
                    os.kill(each["pid"], signal.SIGCONT)

    thread = threading.Thread(target=stop_and_go)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def detected(monkeypatch):
    """Moments at which a release began to restore what was."""
    moments = []
    restore = release._restore

    def noted(*given):
        moments.append(time.monotonic())
        return restore(*given)

    monkeypatch.setattr(release, "_restore", noted)
    return moments


def assert_back_in_time(seen, detected, old):
    """All requests went to the old one again soon after that was decided."""
    (decided,) = detected
    back = seen.seen[-1]
    assert back[1] == {old: 100}
    assert back[0] - decided <= DETECTED_SECONDS


def counted_as_lost(url, name, revision):
    """What a revision had in hand when it died, as the supervisor counted it."""
    with urllib.request.urlopen(url.split("/v2/")[0] + "/metrics") as response:  # noqa: S310 - loopback
        families = text_string_to_metric_families(response.read().decode())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "millrace_requests_lost_total"
        and sample.labels == {"model": name, "revision": revision}
    )


@pytest.mark.parametrize(
    ("flaw", "told"),
    [
        ("failing", r"at 25 %: 100\.00% of \d+ requests fail, 0\.00% of the old one's"),
        ("slow", r"at 25 %: .*requests take more than .* ms, and the old one's 50% quantile is"),
        ("other", r"at 25 %: predictions `probability` are 1\.00 apart from the old one's"),
    ],
)
def test_worse_revision_is_taken_back_and_only_its_own_requests_fail(
    old, flawed, serving, tmp_path, detected, flaw, told
):
    name, first = old
    config = DeployConfig(
        target="local", steps=[25, 100], interval_seconds=2, min_requests=40, deadline_seconds=20,
        max_latency_ratio=3 if flaw == "slow" else 50,
    )  # fmt: skip
    row = {**ROWS[0], "seats": BROKEN_SEATS}
    slowed = slowing(serving, name, revision_of(flawed["slow"]))
    refused = pytest.raises(RefusedError, match=f"not released: .*worse.*{told}.*{first} serves as before")
    with open_load(serving(name).url, row=row) as load, Weights(serving, name) as seen, slowed, refused:
        deploy(flawed[flaw], flawed[flaw], tmp_path / "new", model_name=name, config=config)
    assert_back_in_time(seen, detected, first)
    assert weights(serving, name) == {first: 100}
    assert set(load.failed_by) <= {revision_of(flawed["failing"])}
    assert load.outcomes == {
        200: load.sent - sum(load.failed_by.values()),
        **({500: load.outcomes[500]} if flaw == "failing" else {}),
    }
    assert not (tmp_path / "new").exists()


def test_revision_that_dies_at_25_percent_is_taken_back_and_only_what_it_had_in_hand_is_lost(
    old, models, serving, tmp_path
):
    name, first = old
    second = revision_of(models["second"])
    killed = []

    def kill(seen):
        seen.await_weights({second: 25, first: 75})
        (found,) = [each for each in serving(name).revisions if each["revision"] == second]
        time.sleep(0.3)
        killed.append(time.monotonic())
        os.kill(found["pid"], signal.SIGKILL)

    with open_load(serving(name).url) as load, Weights(serving, name) as seen:
        killer = threading.Thread(target=kill, args=(seen,))
        killer.start()
        with pytest.raises(RefusedError, match=rf"{second} died after it was started.*serves as before"):
            deploy(models["second"], models["second"], tmp_path / "new", model_name=name, config=STEPS)
        killer.join()
    assert seen.steps[-1] == {first: 100}
    assert seen.seen[-1][0] - killed[0] <= DETECTED_SECONDS
    lost = counted_as_lost(serving(name).url, name, second)
    assert load.outcomes == {200: load.sent - lost, **({502: lost} if lost else {})}, load.failures
    assert lost <= 10


# What is released, as which model it must answer, in how many seconds, and what is told.
NEVER_SHARED = {
    "never starts": ("unstartable", 3.0, 180, RefusedError, "does not start: .*warm-up failed"),
    "is late": ("second", 2.0, 0.001, UnavailableError, "was not ready in time"),
    "answers otherwise": ("second", 1.0, 180, RefusedError, "answers otherwise than the judged model"),
}


@pytest.mark.parametrize("flaw", NEVER_SHARED)
def test_revision_that_is_not_proved_never_has_a_share_and_is_ended(
    old, models, golden, serving, tmp_path, detected, flaw
):
    name, first = old
    model, answers, seconds, error, told = NEVER_SHARED[flaw]
    config = DeployConfig(target="local", steps=[25, 100], timeout_seconds=seconds)
    with open_load(serving(name).url) as load, Weights(serving, name) as seen:
        with pytest.raises(error, match=f"{told}.*{first} serves as before"):
            deploy(models[model], golden[answers], tmp_path / "new", model_name=name, config=config)
        ended = time.monotonic()
        assert weights(serving, name) == {first: 100}
    assert seen.steps == [{first: 100}]
    assert ended - detected[0] <= DETECTED_SECONDS
    assert load.outcomes == {200: load.sent}, load.failures
    assert set(load.revisions) == {first}
    assert not (tmp_path / "new").exists()


def test_revision_that_answers_otherwise_when_its_release_is_gone_on_with_is_taken_back(
    old, models, golden, serving, tmp_path, detected
):
    """It has all requests, since the task that released it was killed before its last proof."""
    name, first = old
    second = revision_of(models["second"])
    with open_load(serving(name).url) as load, Weights(serving, name) as seen:
        code, told = run(
            "release", name, tmp_path / "1", model=models["second"], kill=("weigh", 2, "after")
        )
        assert code == -signal.SIGKILL, told
        assert weights(serving, name) == {second: 100, first: 0}
        with pytest.raises(RefusedError, match=f"answers otherwise.*revision {first} serves as before"):
            deploy(models["second"], golden[1.0], tmp_path / "2", model_name=name, config=STEPS)
    assert_back_in_time(seen, detected, first)
    assert weights(serving, name) == {first: 100}
    assert load.outcomes == {200: load.sent}, load.failures

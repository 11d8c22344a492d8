"""Releases by steps: a real supervisor, real servers, and 200 requests a second, open-loop, on loopback."""

import contextlib
import os
import shutil
import signal
import threading
import time
import zlib
from dataclasses import replace

import pytest

from components.common.artifacts import model_digest
from components.common.errors import BadInputError, RefusedError
from components.deployment import release
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.local import LocalTarget
from components.deployment.roll_back import promote_model, roll_back_model
from tests.open_load import open_load
from tests.tiny_model import ROWS, write_tiny_model

STEPS = DeployConfig(
    target="local", steps=[25, 50, 100], interval_seconds=1, min_requests=40, deadline_seconds=60,
    max_latency_ratio=50, max_prediction_shift=1,
)  # fmt: skip
FEW = DeployConfig(target="local", steps=[25, 100], interval_seconds=0.1, deadline_seconds=0.1)
SEATS = 7  # what no golden request asks
DETECTED_SECONDS = 2.0


@pytest.fixture(scope="session")
def flawed(tmp_path_factory):
    """Models that answer their golden requests as recorded, and are no better for it."""
    root = tmp_path_factory.mktemp("flawed")
    return {
        "failing": write_tiny_model(root / "failing", weight=1.01, broken_seats=SEATS),
        "slow": write_tiny_model(root / "slow", weight=1.02),
        "other": write_tiny_model(root / "other", weight=-1.0),
    }


@pytest.fixture
def old(models, golden, serving, tmp_path, supervisor, request):
    """The first model with all requests of a name of this test's own; returns (name, revision)."""
    name = "canary-" + str(zlib.crc32(request.node.name.encode()))
    deploy(models["first"], golden[1.0], tmp_path / "old", model_name=name, config=STEPS)
    yield name, model_digest(models["first"])[:12]
    if serving(name):
        supervisor.stop(name)


def revision_of(folder):
    return model_digest(folder)[:12]


def released(model, name, tmp_path, config=STEPS):
    return deploy(model, model, tmp_path / "new", model_name=name, config=config)


def weights(serving, name):
    return {each["revision"]: each["weight"] for each in serving(name).revisions}


class Weights(threading.Thread):
    """Every set of weights that an observer sees, and when the old one had all requests again."""

    def __init__(self, serving, name):
        super().__init__()
        self.serving, self.name_seen, self.ended = serving, name, threading.Event()
        self.seen = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        while not self.ended.is_set():
            found = {name: one for name, one in weights(self.serving, self.name_seen).items() if one}
            if not self.seen or self.seen[-1][1] != found:
                self.seen.append((time.monotonic(), found))
            time.sleep(0.02)

    def await_weights(self, expected):
        deadline = time.monotonic() + 60
        while not self.seen or self.seen[-1][1] != expected:
            assert time.monotonic() < deadline, self.seen
            time.sleep(0.02)

    @property
    def steps(self):
        assert all(sum(one.values()) == 100 for _, one in self.seen), self.seen
        return [one for _, one in self.seen]


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


@pytest.mark.faults
def test_release_goes_by_steps_and_fails_no_request(old, models, serving, tmp_path, capsys):
    name, first = old
    second = revision_of(models["second"])
    with open_load(serving(name).url) as load, Weights(serving, name) as seen:
        endpoint = released(models["second"], name, tmp_path)
    assert load.outcomes == {200: load.sent}, load.failures
    assert seen.steps == [{first: 100}, {second: 25, first: 75}, {second: 50, first: 50}, {second: 100}]
    assert endpoint.traffic == {second: 100}
    assert [each["revision"] for each in serving(name).revisions] == [second]
    out = capsys.readouterr().out
    assert f"revision {second} is no worse than {first} at 25 %, by" in out


@pytest.mark.faults
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
    row = {**ROWS[0], "seats": SEATS}
    slowed = slowing(serving, name, revision_of(flawed["slow"]))
    refused = pytest.raises(RefusedError, match=f"not released: .*worse.*{told}.*{first} serves as before")
    with open_load(serving(name).url, row=row) as load, Weights(serving, name) as seen, slowed, refused:
        released(flawed[flaw], name, tmp_path, config)
    assert_back_in_time(seen, detected, first)
    assert weights(serving, name) == {first: 100}
    assert set(load.failed_by) <= {revision_of(flawed["failing"])}
    assert load.outcomes == {
        200: load.sent - sum(load.failed_by.values()),
        **({500: load.outcomes[500]} if flaw == "failing" else {}),
    }
    assert not (tmp_path / "new").exists()


@pytest.mark.faults
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
            released(models["second"], name, tmp_path)
        killer.join()
    assert seen.steps[-1] == {first: 100}
    assert seen.seen[-1][0] - killed[0] <= DETECTED_SECONDS
    lost = load.outcomes[502]
    assert load.outcomes == {200: load.sent - lost, **({502: lost} if lost else {})}, load.failures
    assert lost <= 10


def test_too_little_traffic_holds_and_promote_or_rollback_go_on(old, models, serving, tmp_path):
    name, first = old
    second = revision_of(models["second"])
    held = {second: 25, first: 75}
    with pytest.raises(RefusedError, match=r"are too few.*keeps that share.*millrace promote.*rollback"):
        released(models["second"], name, tmp_path, FEW)
    assert weights(serving, name) == held
    assert not (tmp_path / "new").exists()
    back = roll_back_model(tmp_path / "back", model_name=name, revision=None, config=STEPS)
    assert (back.revision, weights(serving, name)) == (first, {first: 100})
    with pytest.raises(BadInputError, match=f"nothing to promote.*{first} has all requests"):
        promote_model(tmp_path / "e", model_name=name, config=STEPS)
    with pytest.raises(RefusedError, match="keeps that share"):
        released(models["second"], name, tmp_path, FEW)
    promoted = promote_model(tmp_path / "p", model_name=name, config=STEPS)
    assert (promoted.revision, weights(serving, name)) == (second, {second: 100})
    again = roll_back_model(tmp_path / "r", model_name=name, revision=None, config=STEPS)
    assert again.revision == first  # what was released before, and not what was only held


def test_inconclusive_release_is_undone_where_that_was_asked_for(old, models, serving, tmp_path):
    name, first = old
    few = replace(FEW, on_inconclusive="restore")
    with pytest.raises(RefusedError, match=r"not released: .*cannot be judged.*serves as before"):
        released(models["second"], name, tmp_path, few)
    assert weights(serving, name) == {first: 100}


@pytest.mark.faults
def test_held_release_goes_on_from_its_share_and_another_one_replaces_it(
    old, models, flawed, serving, tmp_path
):
    name, first = old
    second = revision_of(models["second"])
    with pytest.raises(RefusedError, match="keeps that share"):
        released(models["second"], name, tmp_path, FEW)
    with open_load(serving(name).url), Weights(serving, name) as seen:
        released(models["second"], name, tmp_path)
    assert seen.steps == [{second: 25, first: 75}, {second: 50, first: 50}, {second: 100}]
    with pytest.raises(RefusedError, match="keeps that share"):
        released(flawed["slow"], name, tmp_path, FEW)
    other = released(flawed["other"], name, tmp_path, DeployConfig(target="local"))
    assert weights(serving, name) == {other.revision: 100}


def test_old_revision_that_failed_has_nothing_to_share(models, serving, supervisor, tmp_path):
    """It cannot be judged against, and who waits for requests to it waits for ever."""
    model, name = shutil.copytree(models["first"], tmp_path / "old"), "failed"
    released(model, name, tmp_path, FEW)
    (model / "signature.json").unlink()
    os.kill(serving(name).revisions[0]["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while serving(name).revisions[0]["state"] != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    endpoint = released(models["second"], name, tmp_path, FEW)
    assert weights(serving, name) == {endpoint.revision: 100}
    supervisor.stop(name)


def test_second_release_at_the_same_time_is_told_who_is_first(old, models, serving, tmp_path):
    name, _ = old
    target = LocalTarget.from_environment()
    with pytest.raises(RefusedError, match="keeps that share"):
        released(models["second"], name, tmp_path, FEW)
    target.claim(name, "run 2024-one")
    before = serving(name).revisions
    with pytest.raises(RefusedError, match=r"is being released by run 2024-one.*let it end"):
        released(models["second"], name, tmp_path)
    with pytest.raises(RefusedError, match="being released by run 2024-one"):
        roll_back_model(tmp_path / "e", model_name=name, revision=None, config=STEPS)
    assert serving(name).revisions == before
    target.unclaim(name, "run 2024-one")

"""Releases by steps: a real supervisor, real servers, and 200 requests a second, open-loop, on loopback."""

import os
import shutil
import signal
import time
from dataclasses import replace

import pytest

from components.common.errors import BadInputError, RefusedError
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.local import LocalTarget
from components.deployment.roll_back import promote_model, roll_back_model
from tests.components.deployment.killed_task import start
from tests.components.deployment.watched import Weights, revision_of, weights
from tests.open_load import open_load
from tests.tiny_model import ROWS, write_tiny_model

STEPS = DeployConfig(
    target="local", steps=[25, 50, 100], interval_seconds=1, min_requests=40, deadline_seconds=60,
    max_latency_ratio=50, max_prediction_shift=1,
)  # fmt: skip
HELD_UP_SECONDS = 5  # no request waits for a release: many times what a busy machine takes
FEW = DeployConfig(target="local", steps=[25, 100], interval_seconds=0.1, deadline_seconds=0.1)


def released(model, name, tmp_path, config=STEPS):
    return deploy(model, model, tmp_path / "new", model_name=name, config=config)


@pytest.mark.faults
def test_release_goes_by_steps_and_fails_no_request(old, models, serving, tmp_path, capsys):
    name, first = old
    second = revision_of(models["second"])
    with open_load(serving(name).url) as load, Weights(serving, name) as seen:
        endpoint = released(models["second"], name, tmp_path)
    assert load.outcomes == {200: load.sent}, load.failures
    assert load.quantile(0.99) < HELD_UP_SECONDS
    assert seen.steps == [{first: 100}, {second: 25, first: 75}, {second: 50, first: 50}, {second: 100}]
    assert endpoint.traffic == {second: 100}
    assert [each["revision"] for each in serving(name).revisions] == [second]
    out = capsys.readouterr().out
    assert f"revision {second} is no worse than {first} at 25 %, by" in out


def released_unless_paused(*given):
    """Release; again, twice at most, when the new server was slow: other work may pause one of the two."""
    for _ in range(2):
        try:
            return released(*given)
        except RefusedError as error:
            if "requests take more than" not in str(error):
                raise
    return released(*given)


@pytest.mark.faults
def test_model_that_is_as_good_passes_by_the_documented_limits_and_holds_up_no_request(
    old, serving, tmp_path
):
    """All limits are the default ones; both models' answers are equal to five digits."""
    name, first = old
    equal = write_tiny_model(tmp_path / "equal", weight=1.000001)
    config = DeployConfig(target="local", steps=[50, 100], interval_seconds=2, deadline_seconds=60)
    with open_load(serving(name).url, rows=ROWS) as load, Weights(serving, name) as seen:
        endpoint = released_unless_paused(equal, name, tmp_path, config)
    assert endpoint.traffic == {revision_of(equal): 100}
    steps = [{first: 100}, {revision_of(equal): 50, first: 50}, {revision_of(equal): 100}]
    assert seen.steps[-3:] == steps
    assert load.outcomes == {200: load.sent}, load.failures
    assert load.quantile(0.99) < HELD_UP_SECONDS


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


@pytest.mark.faults
def test_of_two_releases_at_once_one_is_done_and_the_other_is_told_by_whom(
    old, models, flawed, serving, tmp_path
):
    name, _ = old
    both, meeting = (models["second"], flawed["slow"]), tmp_path / "meeting"
    meeting.mkdir()
    with open_load(serving(name).url) as load:
        tasks = [
            start("release", name, tmp_path / revision_of(model), model=model, meet=meeting)
            for model in both
        ]
        told = [task.communicate()[0] for task in tasks]
    codes = [task.returncode for task in tasks]
    assert sorted(codes) == [0, 3], told
    winner, loser = codes.index(0), codes.index(3)
    assert weights(serving, name) == {revision_of(both[winner]): 100}
    assert f"`{name}` is being released by process {tasks[winner].pid} on" in told[loser]
    assert not (tmp_path / revision_of(both[loser])).exists()
    assert load.outcomes == {200: load.sent}, load.failures
    assert revision_of(both[loser]) not in load.revisions

"""The task that releases is killed between every two steps, under load; the next release completes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.common.artifacts import model_digest, read_endpoint
from components.deployment.deploy import deploy
from tests.components.deployment.killed_release import CONFIG
from tests.house import ROOT
from tests.open_load import open_load

pytestmark = pytest.mark.faults

# In the order of a release: what it has changed so far is what the next one finds.
PLACES = [
    ("plan", 1, "before"), ("claim", 1, "before"), ("claim", 1, "after"), ("apply", 1, "before"),
    ("apply", 1, "after"), ("observe", 4, "after"), ("weigh", 1, "before"), ("weigh", 1, "after"),
    ("tally", 1, "after"), ("tally", 2, "after"), ("weigh", 2, "before"), ("weigh", 2, "after"),
    ("remove", 1, "before"), ("remove", 1, "after"), ("unclaim", 1, "before"), ("unclaim", 1, "after"),
]  # fmt: skip


def run_release(model, name, out, *, kill=("-", 0, "-")):
    script = Path(__file__).with_name("killed_release.py")
    command = [sys.executable, str(script), str(model), name, str(out), *map(str, kill)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def weights(serving, name):
    return {each["revision"]: each["weight"] for each in serving(name).revisions}


def test_killed_between_any_two_steps_fails_no_request_and_the_next_one_converges(
    models, golden, serving, supervisor, tmp_path
):
    name = "killed"
    deploy(models["first"], golden[1.0], tmp_path / "begin", model_name=name, config=CONFIG)
    folders = [models["second"], models["first"]]
    with open_load(serving(name).url) as load:
        for number, place in enumerate(PLACES):
            model, out = folders[number % 2], tmp_path / str(number)
            killed = run_release(model, name, out, kill=place)
            assert killed.returncode == -9, (place, killed.stderr)
            assert not out.exists()
            assert sum(weights(serving, name).values()) == 100, place
            done = run_release(model, name, out)
            assert done.returncode == 0, (place, done.stderr)
            revision = model_digest(model)[:12]
            assert weights(serving, name) == {revision: 100}, place
            assert read_endpoint(out).revision == revision
    assert load.outcomes == {200: load.sent}, load.failures
    supervisor.stop(name)


def test_killed_release_of_one_model_does_not_hinder_that_of_another(
    models, golden, serving, supervisor, tmp_path
):
    name = "replaced"
    deploy(models["first"], golden[1.0], tmp_path / "begin", model_name=name, config=CONFIG)
    with open_load(serving(name).url) as load:
        killed = run_release(models["second"], name, tmp_path / "1", kill=("tally", 2, "after"))
        assert killed.returncode == -9
        assert sorted(weights(serving, name).values()) == [50, 50]
        done = run_release(models["first"], name, tmp_path / "2")  # what was, again
        assert done.returncode == 0, done.stderr
    assert weights(serving, name) == {model_digest(models["first"])[:12]: 100}
    assert load.outcomes == {200: load.sent}, load.failures
    supervisor.stop(name)

"""A task of deployment is killed between every two steps, under load; the next one completes it."""

from dataclasses import replace

import pytest

from components.common.artifacts import read_endpoint
from components.deployment.deploy import deploy
from components.deployment.release import HeldError
from tests.components.deployment.killed_task import CONFIG, STEPS, run
from tests.components.deployment.watched import Weights, revision_of, weights
from tests.open_load import open_load

pytestmark = pytest.mark.faults

# In the order of a release: what it has changed so far is what the next one finds.
OF_A_RELEASE = [
    ("claim", 1, "before"), ("claim", 1, "during"), ("claim", 1, "after"), ("apply", 1, "before"),
    ("apply", 1, "during"), ("apply", 1, "after"), ("observe", 4, "after"), ("weigh", 1, "before"),
    ("weigh", 1, "during"), ("weigh", 1, "after"), ("claim", 2, "during"), ("tally", 2, "after"),
    ("weigh", 2, "before"), ("weigh", 2, "after"), ("remove", 1, "before"), ("remove", 1, "during"),
    ("remove", 1, "after"), ("unclaim", 1, "during"), ("unclaim", 1, "after"),
]  # fmt: skip
OF_A_RESTORATION = [
    ("weigh", 2, "before"), ("weigh", 2, "during"), ("weigh", 2, "after"), ("remove", 1, "during"),
    ("remove", 1, "after"),
]  # fmt: skip
OF_A_ROLLBACK = [
    ("claim", 1, "after"),
    ("weigh", 1, "during"),
    ("weigh", 1, "after"),
    ("remove", 1, "during"),
]
OF_A_PROMOTION = [("claim", 1, "after"), ("weigh", 1, "during"), ("weigh", 1, "after")]
KILLED = -9


@pytest.fixture
def loaded(old, serving):
    """The first model with all requests of a name, 200 a second; yields (name, load)."""
    name, _ = old
    with open_load(serving(name).url) as load:
        yield name, load


def test_killed_release_fails_no_request_and_the_next_one_converges(loaded, models, serving, tmp_path):
    name, load = loaded
    folders = [models["second"], models["first"]]
    for number, place in enumerate(OF_A_RELEASE):
        model, out = folders[number % 2], tmp_path / str(number)
        code, told = run("release", name, out, model=model, kill=place)
        assert code == KILLED, (place, told)
        assert not out.exists()
        assert sum(weights(serving, name).values()) == 100, place
        code, told = run("release", name, out, model=model)
        assert code == 0, (place, told)
        assert weights(serving, name) == {revision_of(model): 100}, place
        assert read_endpoint(out).revision == revision_of(model)
    load.end()
    assert load.outcomes == {200: load.sent}, load.failures


@pytest.mark.parametrize("place", [("weigh", 2, "after"), ("weigh", 3, "before")])
def test_killed_at_a_share_between_goes_on_from_it(loaded, models, serving, tmp_path, place):
    name, load = loaded
    first, second = map(revision_of, (models["first"], models["second"]))
    steps = {**STEPS, "steps": [5, 25, 50, 100], "interval_seconds": 0.2, "min_requests": 5}
    code, told = run("release", name, tmp_path / "1", model=models["second"], options=steps, kill=place)
    assert code == KILLED, told
    with Weights(serving, name) as seen:
        code, told = run("release", name, tmp_path / "2", model=models["second"], options=steps)
    assert code == 0, told
    assert seen.steps == [{second: 25, first: 75}, {second: 50, first: 50}, {second: 100}]
    load.end()
    assert load.outcomes == {200: load.sent}, load.failures


def test_killed_while_it_takes_a_worse_model_back_is_gone_on_with(
    loaded, models, flawed, serving, tmp_path
):
    name, load = loaded
    first = revision_of(models["first"])
    strict = {**STEPS, "max_prediction_shift": 0.2}
    for place in OF_A_RESTORATION:
        given = {"model": flawed["other"], "options": strict}
        code, told = run("release", name, tmp_path / "e", kill=place, **given)
        assert code == KILLED, (place, told)
        assert sum(weights(serving, name).values()) == 100, place
        code, told = run("release", name, tmp_path / "e", **given)
        assert (code, "predictions `probability` are" in told) == (3, True), (place, told)
        assert weights(serving, name) == {first: 100}, place
    load.end()
    assert load.outcomes == {200: load.sent}, load.failures


def hold(model, name, tmp_path):
    """Have a model beside the old one, at half of the requests."""
    few = replace(CONFIG, min_requests=10_000, interval_seconds=0.1, deadline_seconds=0.1)
    with pytest.raises(HeldError):
        deploy(model, model, tmp_path / "held", model_name=name, config=few)


def test_killed_rollback_fails_no_request_and_the_next_one_converges(loaded, models, serving, tmp_path):
    name, load = loaded
    first = revision_of(models["first"])
    for number, place in enumerate(OF_A_ROLLBACK):
        hold(models["second"], name, tmp_path)
        out = tmp_path / str(number)
        code, told = run("roll_back", name, out, kill=place)
        assert code == KILLED, (place, told)
        assert sum(weights(serving, name).values()) == 100, place
        code, told = run("roll_back", name, out, revision=first)
        assert code == 0, (place, told)
        assert weights(serving, name) == {first: 100}, place
        assert read_endpoint(out).revision == first
    load.end()
    assert load.outcomes == {200: load.sent}, load.failures


def test_killed_promotion_fails_no_request_and_the_next_one_converges(loaded, models, serving, tmp_path):
    name, load = loaded
    folders = [models["second"], models["first"]]
    for number, place in enumerate(OF_A_PROMOTION):
        model, out = folders[number % 2], tmp_path / str(number)
        hold(model, name, tmp_path)
        code, told = run("promote", name, out, kill=place)
        assert code == KILLED, (place, told)
        assert sum(weights(serving, name).values()) == 100, place
        code, told = run("promote", name, out)
        assert code == 0, (place, told)
        assert weights(serving, name) == {revision_of(model): 100}, place
    load.end()
    assert load.outcomes == {200: load.sent}, load.failures


@pytest.mark.parametrize(("moment", "stops"), [("before", False), ("during", True)])
def test_killed_stop_loses_no_request_in_hand_and_the_name_is_released_again(
    loaded, models, serving, supervisor, tmp_path, moment, stops
):
    name, load = loaded
    root = supervisor.file.parent.parent
    code, told = run("stop", name, root, kill=("call_control", 3, moment))
    assert code == KILLED, told
    assert (serving(name) is None) == stops
    code, told = run("release", name, tmp_path / "e", model=models["second"])
    assert code == 0, told
    assert weights(serving, name) == {revision_of(models["second"]): 100}
    load.end()
    assert load.outcomes.keys() <= {200, 404, 503}, (
        load.failures
    )  # none was lost: there is no name for a while
    assert (404 in load.outcomes) == stops


def test_killed_release_of_one_model_does_not_hinder_that_of_another(loaded, models, serving, tmp_path):
    name, load = loaded
    code, told = run("release", name, tmp_path / "1", model=models["second"], kill=("tally", 2, "after"))
    assert code == KILLED, told
    assert sorted(weights(serving, name).values()) == [50, 50]
    code, told = run("release", name, tmp_path / "2", model=models["first"])  # what was, again
    assert code == 0, told
    assert weights(serving, name) == {revision_of(models["first"]): 100}
    load.end()
    assert load.outcomes == {200: load.sent}, load.failures

"""The pipeline `training` on a small table, killed at five calls and at five times, and gone on with."""

import pytest

from pipelines.build import Build
from pipelines.compiling.package import compile_pipeline
from tests.pipelines.local.faults.trials import Trials, kill_after, kill_at
from tests.pipelines.test_training import write_houses

pytestmark = pytest.mark.faults

KILLS = 5


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    write_houses(folder / "houses.csv")
    parameters = {
        "sources": {"data": str(folder / "houses.csv")}, "label": "price", "model_name": "houses",
        "trials": 1, "search_space": {"epochs": 3, "batch_size": 64}, "deploy": {"target": "none"},
    }  # fmt: skip
    found = Trials(compile_pipeline("training", Build(), folder), parameters, folder)
    found.run_clean()
    return found


def points(trace):
    """Choose calls that make something appear, of tasks and of the runner, spread over the run."""
    calls = [
        [call, when]
        for call, when in trace
        if call.startswith(("replace", "mlmd")) and "run.json" not in call
    ]
    return [calls[len(calls) * number // KILLS + len(calls) // (2 * KILLS)] for number in range(KILLS)]


@pytest.mark.parametrize("number", range(KILLS))
def test_training_killed_where_it_publishes_goes_on_to_the_same_model(training, number):
    kill_at(training, number, points(training.trace("clean"))[number])


@pytest.mark.parametrize("seed", range(KILLS))
def test_training_killed_at_any_time_goes_on_to_the_same_model(training, seed):
    kill_after(training, seed)

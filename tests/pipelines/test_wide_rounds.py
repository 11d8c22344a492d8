"""Rounds that a cluster could not hand on; the door itself tells how many tasks there would be."""

import pytest
from kfp import compiler, dsl

from components.training.component import propose_trials
from components.training.config import TrainingConfig
from components.training.propose import propose_points
from components.training.search import plan_search
from pipelines.build import Build
from pipelines.compiling.package import compile_pipeline
from pipelines.local.reading import read_package
from pipelines.wide_rounds import MOST_TASKS, wide_rounds


def tasks_of_first_round(build, trials, options):
    search = plan_search(
        {}, trials=trials, sampler="random", seed=7, trials_per_task=build.trials_per_task,
        rounds=build.rounds, config=TrainingConfig(**options),
    )  # fmt: skip
    return len(propose_points(search))


@pytest.mark.parametrize(
    ("build", "options"),
    [
        (Build(), {}),
        (Build(trials_per_task=3), {}),
        (Build(rounds=2), {}),
        (Build(rounds=2, trials_per_task=2), {"halving": 2}),
    ],
    ids=["one round", "shared tasks", "two rounds", "halving"],
)
def test_what_is_too_wide_is_refused_and_what_just_fits_is_not(build, options, tmp_path):
    plan = read_package(compile_pipeline("training", build, tmp_path))
    shares = build.trials_per_task * (1 if options else build.rounds)
    for trials, refused in ((MOST_TASKS * shares, False), (MOST_TASKS * shares + build.rounds, True)):
        found = list(wide_rounds(plan, {"trials": trials, "training": options}))
        really = tasks_of_first_round(build, trials, options)
        assert (really > MOST_TASKS) == bool(found) == refused


def test_as_many_trials_a_task_as_advised_are_enough_and_one_less_is_not(tmp_path):
    (wide,) = wide_rounds(
        read_package(compile_pipeline("training", Build(), tmp_path)), {"trials": 2 * MOST_TASKS + 1}
    )
    assert (wide.tasks, wide.trials_per_task) == (2 * MOST_TASKS + 1, 3)
    for shared, refused in ((3, False), (2, True)):
        plan = read_package(compile_pipeline("training", Build(trials_per_task=shared), tmp_path))
        assert bool(list(wide_rounds(plan, {"trials": wide.trials}))) == refused


def test_a_search_in_a_branch_of_another_pipeline_is_seen_and_what_a_task_decides_is_not(tmp_path):
    @dsl.component(base_image="registry.example/tools@sha256:00", install_kfp_package=False)
    def count() -> int:
        return 1000

    @dsl.pipeline(name="foreign")
    def foreign(wide: bool, trials: int = 500):
        with dsl.If(wide == True):  # noqa: E712 - KFP's form
            propose_trials(trials=trials)
        propose_trials(trials=count().output)

    compiler.Compiler().compile(foreign, str(tmp_path / "foreign.yaml"))
    plan = read_package(tmp_path / "foreign.yaml")
    assert [(one.task, one.tasks) for one in wide_rounds(plan, {})] == [("propose-trials", 500)]
    assert list(wide_rounds(plan, {"trials": 5})) == []

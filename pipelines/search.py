# pyright: basic, reportCallIssue=false, reportIndexIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false
"""The rounds of a search, unrolled: each is a loop of tasks, and is told what came of those before."""

from typing import Any

from kfp import dsl

from components.training.component import propose_next_round, propose_trials, select_best, train_trials
from pipelines.build import Build


def search(
    build: Build, *, asked: dict[str, Any], made_from: dict[str, Any], options: Any, baseline: Any = None,
) -> Any:  # fmt: skip
    """Add the tasks of a search to the pipeline that is being defined.

    Args:
        build: How many rounds there are, and how many tasks run at once.
        asked: What is searched: inputs of the tasks that propose trials.
        made_from: What trials are made from: inputs of the tasks that train.
        options: Knobs of the room.
        baseline: The model now serving; None for a search that never begins with one.

    Returns:
        The task that selects the best trial.
    """
    asked = {
        **asked, "trials_per_task": build.trials_per_task, "rounds": build.rounds, "options": options
    }  # fmt: skip
    made_from = {**made_from, "options": options}
    begun = {} if baseline is None else {"baseline": baseline}
    plan = propose_trials(**begun, **asked)
    models, earlier = _train(build, plan, made_from, name="search"), {}
    for place in range(1, build.rounds):
        plan = propose_next_round(
            models=models, before=plan.outputs["start"], round=place, **earlier, **asked
        )
        models = _train(build, plan, made_from, name=f"search-{place + 1}")
        earlier = {"earlier": plan.outputs["history"]}
    seen = {name: made_from[name] for name in ("transformed_examples", "transform_graph")}
    return select_best(models=models, options=options, **seen, **earlier)


def _train(build: Build, plan: Any, made_from: dict[str, Any], *, name: str) -> Any:
    with dsl.ParallelFor(plan.outputs["Output"], parallelism=build.parallelism, name=name) as batch:
        trained = train_trials(batch=batch, start=plan.outputs["start"], **made_from)
    return dsl.Collected(trained.outputs["model"])

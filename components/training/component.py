# pyright: basic
"""The doors of training: what KFP sees. The work is in `propose.py`, `train.py` and `select_best.py`."""

from typing import List, Optional

from kfp import dsl

from components.common.images import image


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def propose_trials(
    start: dsl.Output[dsl.Model],
    baseline: Optional[dsl.Input[dsl.Artifact]] = None,
    search_space: dict = {},
    trials: int = 4,
    sampler: str = "random",
    seed: int = 0,
    trials_per_task: int = 1,
    options: dict = {},
) -> List[dict]:
    """Draw the trials of a search; trial 0 has the default hyperparameters.

    Args:
        baseline: The model now serving, or word that there is none; a warm start begins with it.
        search_space: By hyperparameter `{low, high, log}`, `{choices: [...]}` or one value; empty takes
            the default space.
        trials: How many.
        sampler: `random`.
        seed: Of the draw and of the trials.
        trials_per_task: How many trials share a task.
        options: Knobs of this room, see its README.

    Returns:
        start: The model that trials begin with, or word that there is none.
        Output: One batch per task, `{trials: [{number, seed, hyperparameters}]}`.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.training.choose_start import choose_start
    from components.training.config import TrainingConfig
    from components.training.propose import propose_points

    with named_exit():
        config = build_config(TrainingConfig, options, where="training")
        found = Path(baseline.path) if baseline else None
        choose_start(found, Path(start.path), warm_start=config.warm_start)
        return propose_points(
            search_space, trials=trials, sampler=sampler, seed=seed, trials_per_task=trials_per_task
        )


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def train_trials(
    batch: dict,
    transformed_examples: dsl.Input[dsl.Dataset],
    transform_graph: dsl.Input[dsl.Artifact],
    schema: dsl.Input[dsl.Artifact],
    statistics: dsl.Input[dsl.Artifact],
    snapshot: dsl.Input[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    curves: dsl.Output[dsl.HTML],
    start: Optional[dsl.Input[dsl.Artifact]] = None,
    module_uri: Optional[str] = None,
    options: dict = {},
):
    """Train some trials, each in a process of its own, and keep the best model of them.

    Args:
        batch: Trials of this task, from `propose_trials`.
        transformed_examples: The splits `train` and `eval`, from the transform.
        transform_graph: The transform; it becomes part of the model.
        schema: Folder with `schema.pbtxt`; says which inputs may be missing.
        statistics: Folder with `statistics.pb`; gives the rows that the export is checked with.
        snapshot: Folder with `snapshot.json`; its version is recorded.
        start: What to begin with, from `propose_trials`.
        module_uri: The user's Python file; a `build_model` in it makes the network.
        options: Knobs of this room, see its README.

    Returns:
        model: `trials.json` and the best trial's model; `trials.json` alone when all failed.
        metrics: The best trial on the eval split.
        curves: A page with the learning curve of each trial.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.common.modules import find_module
    from components.training.config import TrainingConfig
    from components.training.train import Inputs, train_batch

    with named_exit():
        artifacts = (transformed_examples, transform_graph, schema, statistics, snapshot)
        folders = Inputs(*(Path(artifact.path) for artifact in artifacts))
        config = build_config(TrainingConfig, options, where="training")
        module = find_module(module_uri) if module_uri else None
        trained = train_batch(
            batch, folders, model=Path(model.path), curves=Path(curves.path), module=module, config=config,
            start=Path(start.path) if start else None,
        )  # fmt: skip
        for name, value in trained.metrics.items():
            metrics.log_metric(name, value)


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def select_best(
    models: dsl.Input[List[dsl.Model]],
    best_model: dsl.Output[dsl.Model],
    leaderboard: dsl.Output[dsl.Artifact],
    options: dict = {},
):
    """Rank the trials of all tasks and copy the winner.

    Args:
        models: Output `model` of every task of the search.
        options: Knobs of this room, see its README.

    Returns:
        best_model: The best trial's model.
        leaderboard: Folder with `leaderboard.json`: all trials, best first, failed ones last.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.training.config import TrainingConfig
    from components.training.select_best import select_best_model

    with named_exit():
        config = build_config(TrainingConfig, options, where="training")
        best = select_best_model(
            [Path(one.path) for one in models], best_model=Path(best_model.path),
            leaderboard=Path(leaderboard.path), config=config,
        )  # fmt: skip
        best_model.metadata.update({"trial": best.trial, best.objective: best.value})
        leaderboard.metadata.update(complete=best.complete, failed=best.failed)

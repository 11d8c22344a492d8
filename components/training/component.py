# pyright: basic
"""The doors of training: what KFP sees. The work is in files named after what they do."""

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
    rounds: int = 1,
    options: dict = {},
) -> List[dict]:
    """Draw the trials of a search, or of its first round; trial 0 has the default hyperparameters.

    Args:
        baseline: The model now serving, or word that there is none; a warm start begins with it.
        search_space: By hyperparameter `{low, high, log}`, `{choices: [...]}` or one value; empty takes
            the default space.
        trials: How many.
        sampler: `random`, `qmc`, `tpe` or `grid`.
        seed: Of the draw and of the trials.
        trials_per_task: How many trials share a task.
        rounds: How many rounds the search has.
        options: Knobs of this room, see its README.

    Returns:
        start: The model that trials begin with, or word that there is none.
        Output: One batch per task, `{round, trials: [{number, seed, hyperparameters}], spares}`.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.training.choose_start import choose_start
    from components.training.config import TrainingConfig
    from components.training.propose import propose_points
    from components.training.search import plan_search

    with named_exit():
        config = build_config(TrainingConfig, options, where="training")
        search = plan_search(
            search_space, trials=trials, sampler=sampler, seed=seed, trials_per_task=trials_per_task,
            rounds=rounds, config=config,
        )  # fmt: skip
        found = Path(baseline.path) if baseline else None
        choose_start(found, Path(start.path), warm_start=config.warm_start)
        return propose_points(search)


@dsl.component(base_image=image("modelling"), install_kfp_package=False)
def propose_next_round(
    models: dsl.Input[List[dsl.Model]],
    before: dsl.Input[dsl.Artifact],
    start: dsl.Output[dsl.Model],
    history: dsl.Output[dsl.Model],
    round: int,
    rounds: int,
    earlier: Optional[dsl.Input[dsl.Artifact]] = None,
    search_space: dict = {},
    trials: int = 4,
    sampler: str = "random",
    seed: int = 0,
    trials_per_task: int = 1,
    options: dict = {},
) -> List[dict]:
    """Draw the trials of a later round of a search, told the results so far.

    Args:
        models: Output `model` of every task of the round before.
        before: Output `start` of the round before.
        round: Which one, from 1; `propose_trials` made round 0.
        rounds: How many rounds the search has.
        earlier: Output `history` of the round before, if that was not the first.
        search_space: As in `propose_trials`.
        trials: As in `propose_trials`.
        sampler: As in `propose_trials`.
        seed: As in `propose_trials`.
        trials_per_task: As in `propose_trials`.
        options: Knobs of this room, see its README.

    Returns:
        start: What trials begin with: as before, and models that go on by the number of their trial.
        history: Records of all trials so far and the best model of them.
        Output: One batch per task.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.training.begin_round import begin_round
    from components.training.config import TrainingConfig
    from components.training.search import plan_search

    with named_exit():
        config = build_config(TrainingConfig, options, where="training")
        search = plan_search(
            search_space, trials=trials, sampler=sampler, seed=seed, trials_per_task=trials_per_task,
            rounds=rounds, config=config,
        )  # fmt: skip
        folders = [Path(one.path) for one in [*models, *([earlier] if earlier else [])]]
        return begin_round(
            search, round, folders, before=Path(before.path), start=Path(start.path),
            history=Path(history.path), config=config,
        )  # fmt: skip


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
        batch: Trials of this task, from `propose_trials` or `propose_next_round`.
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
    report: dsl.Output[dsl.HTML],
    transformed_examples: Optional[dsl.Input[dsl.Dataset]] = None,
    transform_graph: Optional[dsl.Input[dsl.Artifact]] = None,
    earlier: Optional[dsl.Input[dsl.Artifact]] = None,
    options: dict = {},
):
    """Rank the trials of all tasks and copy the winner.

    Args:
        models: Output `model` of every task of the last round.
        transformed_examples: Splits to fit a reference on, unless told otherwise; with `transform_graph`.
        transform_graph: The transform.
        earlier: Output `history` of the last round's `propose_next_round`; none in a search of one round.
        options: Knobs of this room, see its README.

    Returns:
        best_model: The best trial's model.
        leaderboard: Folder with `leaderboard.json`: all trials, best first, failed ones last.
        report: A page with the leaderboard, the history of the search and what mattered.
    """
    from pathlib import Path

    from components.common.config import build_config
    from components.common.errors import named_exit
    from components.training.config import TrainingConfig
    from components.training.fit_reference import fit_reference
    from components.training.select_best import select_best_model

    with named_exit():
        config = build_config(TrainingConfig, options, where="training")
        folders = [Path(one.path) for one in [*models, *([earlier] if earlier else [])]]
        reference = None
        if config.reference and transformed_examples and transform_graph:
            reference = fit_reference(Path(transformed_examples.path), Path(transform_graph.path))
        best = select_best_model(
            folders, best_model=Path(best_model.path), leaderboard=Path(leaderboard.path),
            report=Path(report.path), config=config, reference=reference,
        )  # fmt: skip
        best_model.metadata.update({"trial": best.trial, best.objective: best.value})
        leaderboard.metadata.update(complete=best.complete, failed=best.failed, stopped=best.stopped)

"""Fitting a network and measuring it on the eval split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras as untyped
import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.common.errors import BadInputError
from components.training.build import build_model
from components.training.config import ClassWeight
from components.training.encode_numbers import find_bins
from components.training.hyperparameters import Hyperparameters
from components.training.learn import Data, Learning, Saving
from components.training.measure import measure_answers
from components.training.predict import interpret, predictor
from components.training.read_arrays import Arrays, Layout
from components.training.share_vectors import share_vectors
from components.training.weigh_losses import Scale, find_scale, make_targets, weigh_classes

keras: Any = untyped  # its annotations call every number a string

_MEMBER_ROWS = 200_000  # rows of the train split times networks, at most; for many rows one is enough

Prepare = Callable[[Any], object]


class Problem(NamedTuple):
    """What all trainings of a trial have in common.

    Attributes:
        layout: Packing of the features.
        task: What is learnt.
        classes: Label values by class index; empty for regression.
        point: Hyperparameters.
        seed: Of weights, batches and dropout: the same seed gives the same metrics.
        class_weight: See `weigh_classes`.
        build: Builds the user's own network, or None for ours.
        prepare: Is called with the untrained network, to give it weights to begin with.
    """

    layout: Layout
    task: Task
    classes: list[str]
    point: Hyperparameters
    seed: int
    class_weight: ClassWeight = None
    build: Callable[[], Any] | None = None
    prepare: Prepare | None = None


class Fitted(NamedTuple):
    """A trained network.

    Attributes:
        model: Gives logits or standardised values, as `build_model` says.
        scale: What its values must be scaled back with.
        metrics: On the eval split, by name.
        curve: One point per epoch, see `Progress`.
    """

    model: Any
    scale: Scale
    metrics: dict[str, float]
    curve: list[dict[str, float]]


def fit_model(
    problem: Problem, train: Arrays, evaluation: Arrays, *, saving: Saving | None = None,
    limits: Sequence[float] = (),
) -> Fitted:  # fmt: skip
    """Train with early stopping on the eval loss, and keep the best weights.

    Args:
        problem: What is learnt, and how.
        train: The train split.
        evaluation: The eval split; decides when to stop.
        saving: Where checkpoints go. When there is one of this very training, it goes on from there and
            ends with the weights of one that was never interrupted.
        limits: By epoch, the lowest eval loss above which there is no hope; empty: there always is.

    Raises:
        Hopeless: There is no hope.
        BadInputError: The loss became NaN or infinite, or the eval split holds one class only.
    """
    task = problem.task
    keras.utils.set_random_seed(problem.seed)
    model = problem.build() if problem.build else _build(problem, train)
    if problem.prepare:
        problem.prepare(model)
    scale = find_scale(train.label, task)
    weights = weigh_classes(train.label, problem.classes, problem.class_weight)
    rows, judges = (
        Data(one.inputs, make_targets(one.label, task, scale, weights)) for one in (train, evaluation)
    )
    learning = Learning(
        model, rows, judges, task=task, point=problem.point, seed=problem.seed, saving=saving,
        limits=limits,
    )  # fmt: skip
    curve = learning.run()
    answers = answer_rows(model, evaluation.inputs, task, scale)
    return Fitted(model, scale, measure_answers(evaluation.label, answers, task), curve)


def answer_rows(model: Any, inputs: dict[str, NDArray[Any]], task: Task, scale: Scale) -> NDArray[Any]:
    """Return probabilities `[rows]`, probabilities `[rows, classes]` or values `[rows]`.

    Raises:
        BadInputError: An answer is NaN or infinite.
    """
    answers = interpret(predictor(model, inputs)(inputs), task, scale)
    if not np.isfinite(answers).all():
        raise BadInputError("an answer is NaN or infinite", where="network", fix="lower the learning rate")
    return answers


def _build(problem: Problem, train: Arrays) -> Any:
    point, layout = problem.point, problem.layout
    numbers, indices = train.inputs.get("numbers"), train.inputs.get("indices")
    bins = find_bins(numbers, point.bins) if point.bins and numbers is not None else None
    vectors = None if indices is None else share_vectors(indices, layout.sizes, point.min_count)
    members = max(1, min(point.members, _MEMBER_ROWS // len(train.label)))
    return build_model(layout, problem.task, len(problem.classes), point, bins, vectors, members)

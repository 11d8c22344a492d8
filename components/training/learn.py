"""Learning: steps over shuffled batches, with early stopping, from and to checkpoints.

A loop of our own and not `keras.Model.fit`, because `fit` cannot begin in the middle of an epoch, nor say
at which step a loss became NaN, and takes longer (docs/adr/0014-training-loop.md).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import keras as untyped
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.common.artifacts import Task
from components.common.errors import BadInputError
from components.common.task_log import log_line
from components.training.checkpoint import Checkpoints, State
from components.training.follow_schedule import make_optimizer
from components.training.hyperparameters import Hyperparameters
from components.training.interrupt import EXIT_TERMINATED, listening
from components.training.predict import predictor
from components.training.weigh_losses import Targets, loss_of

keras: Any = untyped  # its annotations call every number a string

_STEPS_PER_EXECUTION = 64
_LONGEST_EXECUTION_SECONDS = 2.0  # a wish to end is heard between executions
_STEPS_PER_EPOCH = 100  # at least; a small split is repeated within an epoch until it has as many


class Data(NamedTuple):
    """Inputs by name, `[rows, columns]` each, and what is learnt of each row."""

    inputs: dict[str, NDArray[Any]]
    targets: Targets


class Saving(NamedTuple):
    """Where checkpoints go, and after how many seconds there is a new one."""

    checkpoints: Checkpoints
    every_seconds: float


@dataclass(kw_only=True)
class Progress:
    """How far a training is, beside its variables.

    Attributes:
        step: Steps done.
        best_loss: Lowest eval loss so far.
        waited: Epochs since.
        losses: Of the steps of the epoch under way.
        curve: One point per epoch that is done: `epoch`, `train_loss`, `eval_loss`, `learning_rate`.
    """

    step: int = 0
    best_loss: float = math.inf
    waited: int = 0
    losses: list[float] = field(default_factory=list[float])
    curve: list[dict[str, float]] = field(default_factory=list[dict[str, float]])


class Hopeless(Exception):  # noqa: N818 - no error, a result
    """A training was ended because others were better at the same epoch; `curve` is that of `Progress`."""

    def __init__(self, told: str, curve: list[dict[str, float]]) -> None:
        """Say why."""
        super().__init__(told)
        self.curve = curve


class Learning:
    """One training of one model."""

    def __init__(
        self, model: Any, train: Data, evaluation: Data, *, task: Task, point: Hyperparameters, seed: int,
        saving: Saving | None, limits: Sequence[float] = (),
    ) -> None:  # fmt: skip
        """Prepare; nothing is learnt yet.

        Args:
            model: A `keras.Model` of the inputs that gives raw answers.
            train: The rows to learn from.
            evaluation: The rows that decide when to stop.
            task: It names the loss.
            point: Hyperparameters.
            seed: Of the order of rows.
            saving: Where checkpoints go, or None for none.
            limits: By epoch, the lowest eval loss above which the training is hopeless.
        """
        self._model, self._train, self._evaluation = model, train, evaluation
        self._point, self._seed, self._saving, self._limits = point, seed, saving, limits
        rows = len(train.targets.weight)
        self._batch = min(point.batch_size, max(32, rows // 32))
        self._epoch_steps = max(rows // self._batch, _STEPS_PER_EPOCH)
        share = self._batch / point.batch_size
        self._optimizer, self._rate = make_optimizer(
            point, steps=self._epoch_steps * point.epochs, scale=share**0.5
        )
        self._optimizer.build(model.trainable_variables)
        self._loss, self._predict = loss_of(task), predictor(model, evaluation.inputs)
        self._execute = self._trace()
        self._best: list[NDArray[Any]] = []
        self._progress = Progress()

    def run(self) -> list[dict[str, float]]:
        """Learn to the end; the model is left with the weights of the lowest eval loss.

        Returns:
            `Progress.curve`.

        Raises:
            BadInputError: A loss became NaN or infinite; the epoch, the step and the rate are named.
            Hopeless: The lowest eval loss is above a limit.
            SystemExit: SIGTERM came; a checkpoint was written.
        """
        self._restore()
        with listening() as terminated:
            while not self._finished():
                self._epoch(terminated)
                self._give_up_if_hopeless()
        for variable, value in zip(self._model.weights, self._best, strict=True):
            variable.assign(value)
        return self._progress.curve

    def _finished(self) -> bool:
        epochs = len(self._progress.curve)
        return epochs >= self._point.epochs or self._progress.waited >= self._point.patience

    def _epoch(self, terminated: Any) -> None:
        progress, epoch = self._progress, len(self._progress.curve)
        saved = time.monotonic()
        order = self._order(epoch)
        count = _STEPS_PER_EXECUTION
        while (done := len(progress.losses)) < self._epoch_steps:
            started = time.monotonic()
            self._advance(order, done, min(done + count, self._epoch_steps))
            elapsed = time.monotonic() - started
            if elapsed > _LONGEST_EXECUTION_SECONDS:
                count = max(1, int(count * _LONGEST_EXECUTION_SECONDS / elapsed))
            if self._saving and time.monotonic() - saved >= self._saving.every_seconds:
                self._save()
                saved = time.monotonic()
            if terminated():
                self._save()
                sys.exit(EXIT_TERMINATED)
        self._judge(epoch)

    def _give_up_if_hopeless(self) -> None:
        epochs, best = len(self._progress.curve), self._progress.best_loss
        if (
            epochs <= len(self._limits)
            and best > (limit := self._limits[epochs - 1])
            and not self._finished()
        ):
            told = f"stopped after epoch {epochs}: eval loss {best:.5g} is above the median {limit:.5g}"
            raise Hopeless(f"{told} of trials before it", self._progress.curve)

    def _order(self, epoch: int) -> NDArray[Any]:
        """Return the rows of an epoch, `[steps, batch]`; it depends on the seed and the epoch alone."""
        draw = np.random.default_rng([self._seed, epoch])
        wanted, rows = self._epoch_steps * self._batch, len(self._train.targets.weight)
        order = np.concatenate([draw.permutation(rows) for _ in range(-(-wanted // rows))])
        return order[:wanted].reshape(self._epoch_steps, self._batch)

    def _advance(self, order: NDArray[Any], start: int, stop: int) -> None:
        rows, train = order[start:stop], self._train
        inputs = {name: tf.constant(matrix[rows]) for name, matrix in train.inputs.items()}
        target, weight = train.targets
        losses = self._execute(inputs, tf.constant(target[rows]), tf.constant(weight[rows])).numpy()
        self._progress.losses += losses.tolist()
        self._progress.step += len(losses)
        if not np.isfinite(losses).all():
            self._refuse("loss", start + int(np.flatnonzero(~np.isfinite(losses))[0]))

    def _trace(self) -> Any:
        """Trace once and now: names in the exported graph count what was traced before it."""
        inputs = {name: self._batches_of(matrix) for name, matrix in self._train.inputs.items()}
        signature = [inputs, *map(self._batches_of, self._train.targets)]
        execute = tf.function(self._steps, input_signature=signature)
        execute.get_concrete_function()
        return execute

    def _batches_of(self, rows: NDArray[Any]) -> Any:
        return tf.TensorSpec([None, self._batch, *rows.shape[1:]], rows.dtype)

    def _steps(self, inputs: Any, target: Any, weight: Any) -> Any:
        count = tf.shape(weight)[0]
        losses = tf.TensorArray(tf.float32, size=count)
        for step in tf.range(count):
            batch = {name: matrix[step] for name, matrix in inputs.items()}
            losses = losses.write(step, self._step(batch, target[step], weight[step]))
        return losses.stack()

    def _step(self, inputs: Any, target: Any, weight: Any) -> Any:
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            answers = self._model(inputs, training=True)
            members = answers.shape[0] // self._batch  # of an ensemble, each learns from the same rows
            each = self._loss(tf.concat([target] * members, 0), answers)
            loss = tf.reduce_mean(each * tf.concat([weight] * members, 0))
            total = loss + sum(self._model.losses)
        self._optimizer.apply(tape.gradient(total, [variable.value for variable in variables]), variables)
        return loss

    def _judge(self, epoch: int) -> None:
        progress = self._progress
        loss = self._evaluation_loss()
        if not math.isfinite(loss):
            self._refuse("eval loss", self._epoch_steps - 1)
        point = {"epoch": epoch + 1, "train_loss": float(np.mean(progress.losses)), "eval_loss": loss}
        progress.curve.append({**point, "learning_rate": self._rate(epoch * self._epoch_steps)})
        progress.losses = []
        progress.waited += 1
        if loss < progress.best_loss:
            progress.best_loss, progress.waited = loss, 0
            self._best = [np.array(variable) for variable in self._model.weights]
        shown = ", ".join(f"{name} {value:.5g}" for name, value in progress.curve[-1].items())
        log_line(shown)

    def _evaluation_loss(self) -> float:
        target, weight = self._evaluation.targets
        each = np.asarray(self._loss(target, self._predict(self._evaluation.inputs)), np.float64)
        return float(np.average(each, weights=weight))

    def _refuse(self, what: str, step: int) -> None:
        epoch = len(self._progress.curve)
        where = f"epoch {epoch + 1}, step {step + 1} of {self._epoch_steps}"
        rate = self._rate(epoch * self._epoch_steps + step)
        raise BadInputError(
            f"the {what} became NaN or infinite (learning rate {rate:.3g})", where=where,
            fix="lower the learning rate, or look for huge values among the features",
        )  # fmt: skip

    def _save(self) -> None:
        if self._saving is None:
            return
        groups = {
            "model": self._model.variables,
            "optimizer": self._optimizer.variables,
            "best": self._best,
        }
        arrays = {
            f"{name}.{place:05d}": np.array(value)
            for name, values in groups.items()
            for place, value in enumerate(values)
        }
        self._saving.checkpoints.save(State(self._progress.step, arrays, asdict(self._progress)))

    def _restore(self) -> None:
        state = self._saving.checkpoints.newest() if self._saving else None
        if state is None:
            return
        for name, variables in (("model", self._model.variables), ("optimizer", self._optimizer.variables)):
            for place, variable in enumerate(variables):
                variable.assign(state.arrays[f"{name}.{place:05d}"])
        self._best = [state.arrays[name] for name in sorted(state.arrays) if name.startswith("best.")]
        self._progress = Progress(**state.facts)
        log_line(f"goes on from step {state.step}")

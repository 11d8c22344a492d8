"""Ways to train one network on one file: `python -m benchmarks.training_loops WAY FILE`."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras as untyped
import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf

from components.training.build import build_model
from components.training.follow_schedule import make_optimizer
from components.training.hyperparameters import Hyperparameters
from components.training.learn import Data, Learning
from components.training.read_arrays import Layout, pack
from components.training.share_vectors import Vectors
from components.training.weigh_losses import Scale, make_targets

keras: Any = untyped

BATCH, EPOCHS, EXECUTION = 1_024, 2, 64
POINT = Hyperparameters(epochs=EPOCHS, batch_size=BATCH, bins=0)
SIZES = [14, 33, 9, 22, 62, 22, 18, 5, 107]
LAYOUT = Layout(["n"], [f"i{place}" for place in range(len(SIZES))], SIZES)


def _read(file: Path) -> tuple[dict[str, Any], Any]:
    table = pq.read_table(file)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    return pack(columns, LAYOUT), columns["label"]


def _network() -> Any:
    keras.utils.set_random_seed(0)
    every = Vectors(np.arange(sum(SIZES), dtype=np.int32), sum(SIZES))
    return build_model(LAYOUT, "binary", 2, POINT, None, every)


def ours(file: Path) -> None:
    """Train as a trial does; the eval split is one batch, since the others judge nothing."""
    inputs, label = _read(file)
    targets = make_targets(label, "binary", Scale(0.0, 1.0), np.ones(2, np.float32))
    data = Data(inputs, targets)
    few = Data(
        {name: matrix[:32] for name, matrix in inputs.items()},
        make_targets(label[:32], "binary", Scale(0.0, 1.0), np.ones(2, np.float32)),
    )
    Learning(_network(), data, few, task="binary", point=POINT, seed=0, saving=None).run()


def gathered_in_graph(file: Path) -> None:
    """Keep all rows in tensors, and gather each batch in the graph."""
    inputs, label = _read(file)
    held = {name: tf.constant(matrix) for name, matrix in inputs.items()}
    target, draw, rows = tf.constant(label[:, None]), np.random.default_rng(0), len(label)
    step = _step(rows // BATCH * EPOCHS)

    def execute(order: Any, start: Any, stop: Any) -> None:
        for number in tf.range(start, stop):
            chosen = order[number * BATCH : (number + 1) * BATCH]
            step(
                {name: tf.gather(matrix, chosen) for name, matrix in held.items()},
                tf.gather(target, chosen),
            )

    traced = tf.function(execute)
    for _ in range(EPOCHS):
        order = tf.constant(draw.permutation(rows).astype(np.int32))
        for start in range(0, rows // BATCH, EXECUTION):
            traced(order, tf.constant(start), tf.constant(min(start + EXECUTION, rows // BATCH)))


def batches_in_turn(file: Path) -> None:
    """Gather each batch with NumPy, one call of the graph per step."""
    inputs, label = _read(file)
    draw, rows = np.random.default_rng(0), len(label)
    step = tf.function(_step(rows // BATCH * EPOCHS))
    for _ in range(EPOCHS):
        order = draw.permutation(rows)
        for start in range(0, rows - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            batch = {name: tf.constant(matrix[chosen]) for name, matrix in inputs.items()}
            step(batch, tf.constant(label[chosen][:, None]))


def keras_fit(file: Path) -> None:
    """Train with `keras.Model.fit`."""
    inputs, label = _read(file)
    model = _network()
    optimizer, _ = make_optimizer(POINT, steps=len(label) // BATCH * EPOCHS)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, steps_per_execution=EXECUTION)
    model.fit(inputs, label[:, None], batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)


def _step(steps: int) -> Callable[[Any, Any], None]:
    model = _network()
    optimizer, _ = make_optimizer(POINT, steps=steps)
    optimizer.build(model.trainable_variables)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    def step(inputs: Any, target: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(target, model(inputs, training=True))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(value, [one.value for one in variables]), variables)

    return step


def main(way: str, file: Path) -> None:
    """Print the processor seconds from the file to the last step."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    ways = {one.__name__: one for one in (ours, gathered_in_graph, batches_in_turn, keras_fit)}
    if way != "ours_undetermined":
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        ways[way.removesuffix("_undetermined")](file)
    print(json.dumps({"seconds": time.process_time() - started}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

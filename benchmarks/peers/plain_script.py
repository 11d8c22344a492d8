"""The peer of a whole run: the script that people would write, polars and Keras in one file.

`python -m benchmarks.peers.plain_script CSV_GLOB FOLDER`. It reads, splits, encodes, trains, judges by
slice, saves, and asks the saved model some rows again. Nothing is checked, recorded, cached or served.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras as untyped
import numpy as np
import polars as pl
from sklearn.metrics import accuracy_score, roc_auc_score

keras: Any = untyped
CATEGORIES = ["month", "day", "weekday", "hour", "minute", "arrival_hour", "carrier", "origin", "dest"]
BATCH, EPOCHS, GOLDEN = 1024, 3, 32


def read(pattern: str) -> pl.DataFrame:
    """Read the flights that arrived, with what is known before departure, and the label."""
    flights = pl.read_csv(pattern, null_values="NA", infer_schema_length=None)
    return flights.filter(pl.col("arr_delay").is_not_null()).select(
        "month", "day", pl.date("year", "month", "day").dt.weekday().alias("weekday"), "hour", "minute",
        (pl.col("sched_arr_time") // 100).alias("arrival_hour"), "carrier", "origin", "dest",
        pl.col("distance").cast(pl.Float64), (pl.col("arr_delay") >= 15).cast(pl.Int64).alias("late"),
    )  # fmt: skip


def split(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Divide the rows at random, in the shares of the other side."""
    rows = rows.sample(fraction=1.0, shuffle=True, seed=7)
    first, second = round(rows.height * 0.668), round(rows.height * 0.834)
    return {"train": rows[:first], "eval": rows[first:second], "test": rows[second:]}


def encode(rows: pl.DataFrame, learnt: dict[str, Any]) -> dict[str, Any]:
    """Turn rows into arrays: an index per category, 0 for the unseen, and the scaled distance."""
    arrays: dict[str, Any] = {
        name: rows[name].replace_strict(learnt[name], range(1, len(learnt[name]) + 1), default=0,
                                        return_dtype=pl.Int32).to_numpy()
        for name in CATEGORIES
    }  # fmt: skip
    mean, deviation = learnt["distance"]
    return {**arrays, "distance": ((rows["distance"] - mean) / deviation).to_numpy().astype(np.float32)}


def build(learnt: dict[str, Any], steps: int) -> Any:
    """Build two hidden layers over a vector per category."""
    inputs = {name: keras.Input((), name=name, dtype="int32") for name in CATEGORIES}
    inputs["distance"] = keras.Input((), name="distance")
    parts = [keras.layers.Embedding(len(learnt[name]) + 1, 16)(inputs[name]) for name in CATEGORIES]
    hidden = keras.layers.Concatenate()([*parts, keras.layers.Reshape((1,))(inputs["distance"])])
    for _ in range(2):
        hidden = keras.layers.Dense(128, activation="relu", kernel_initializer="he_normal")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
    rate = keras.optimizers.schedules.CosineDecay(4e-3, steps)
    model.compile(
        keras.optimizers.Adam(rate), "binary_crossentropy", steps_per_execution=32, jit_compile=False
    )
    return model


def judge(rows: pl.DataFrame, answers: np.ndarray) -> list[dict[str, Any]]:
    """Measure all rows, and those of each carrier and origin."""
    judged = rows.with_columns(answer=pl.Series(answers))
    cuts = [{}, *({name: value} for name in ("carrier", "origin") for value in rows[name].unique().sort())]
    found: list[dict[str, Any]] = []
    for cut in cuts:
        part = judged.filter(*(pl.col(name) == value for name, value in cut.items()))
        truth, answer = part["late"].to_numpy(), part["answer"].to_numpy()
        auc = roc_auc_score(truth, answer) if 0 < truth.sum() < len(truth) else None
        found.append(
            {**cut, "rows": len(truth), "auc": auc, "accuracy": accuracy_score(truth, answer > 0.5)}
        )
    return found


def main(pattern: str, folder: Path) -> None:
    """Do all of it, and write `result.json`."""
    keras.utils.set_random_seed(7)
    rows = read(pattern)
    parts = split(rows)
    train = parts["train"]
    learnt: dict[str, Any] = {name: train[name].unique().sort().to_list() for name in CATEGORIES}
    learnt["distance"] = [train["distance"].mean(), train["distance"].std()]
    arrays = {name: encode(part, learnt) for name, part in parts.items()}
    labels = {name: part["late"].to_numpy() for name, part in parts.items()}
    model = build(learnt, steps=EPOCHS * (train.height // BATCH))
    model.fit(
        arrays["train"], labels["train"], batch_size=BATCH, epochs=EPOCHS, verbose=2,
        validation_data=(arrays["eval"], labels["eval"]), validation_batch_size=16_384,
    )  # fmt: skip
    answers = model.predict(arrays["test"], batch_size=16_384, verbose=0)[:, 0]
    slices = judge(parts["test"], answers)
    model.save(folder / "model.keras")
    (folder / "learnt.json").write_text(json.dumps(learnt), encoding="utf-8")
    again = keras.models.load_model(folder / "model.keras")
    some = {name: values[:GOLDEN] for name, values in arrays["test"].items()}
    np.testing.assert_allclose(again.predict(some, verbose=0)[:, 0], answers[:GOLDEN], rtol=1e-4)
    result = {
        "rows": {name: part.height for name, part in parts.items()}, "label_mean": rows["late"].mean(),
        "auc": slices[0]["auc"], "slices": len(slices), "per_slice": slices,
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

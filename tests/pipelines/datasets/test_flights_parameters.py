"""The main job's parameter file, run by the ingestion room over all real flights."""

import zipfile
from pathlib import Path

import polars as pl
import pytest
import yaml
from kfp import dsl

from components.common.artifacts import SPLITS, read_snapshot
from components.ingestion.component import ingest, resolve_sources
from pipelines.datasets.flights import _find_data
from pipelines.local.reading import read_package

FILE = Path(__file__).parents[3] / "pipelines" / "parameters" / "flights.yaml"
AFTER_DEPARTURE = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


@pytest.fixture(scope="module")
def parameters():
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ingested(parameters, flights_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ingested")
    pattern = Path(parameters["sources"]["flights"]).name
    sources = {"flights": str(flights_folder / pattern)}
    snapshot, examples = dsl.Artifact(), dsl.Dataset()
    snapshot.path, examples.path = str(folder / "snapshot"), str(folder / "examples")
    identities = resolve_sources.python_func(sources=sources)
    ingest.python_func(
        sources=sources,
        identities=identities,
        query=parameters["query"],
        split=parameters["split"],
        snapshot=snapshot,
        examples=examples,
    )
    return folder


def test_rows_and_label_are_those_that_another_reader_finds(ingested):
    with zipfile.ZipFile(_find_data() / "flights.csv.zip") as archive:
        flights = pl.read_csv(archive.read("flights.csv"), null_values=["NA"])
    arrived = flights.filter(pl.col("arr_delay").is_not_null())
    late = (arrived["arr_delay"] >= 15).sum()
    rows = pl.concat([pl.read_parquet(ingested / "examples" / split / "*.parquet") for split in SPLITS])
    assert rows.height == arrived.height == 327_346
    assert rows["late"].sum() == late
    by_carrier = arrived.group_by("carrier").agg(
        (pl.col("arr_delay") >= 15).sum().cast(pl.Int64).alias("late")
    )
    found = rows.group_by("carrier").agg(pl.col("late").sum())
    assert found.sort("carrier").equals(by_carrier.sort("carrier"))
    weekdays = arrived.select(pl.date("year", "month", "day").dt.weekday().alias("weekday"))["weekday"]
    assert sorted(rows["weekday"]) == sorted(weekdays)


def test_columns_are_known_before_departure_and_none_is_an_identifier(ingested, parameters):
    columns = read_snapshot(ingested / "snapshot").columns
    assert not AFTER_DEPARTURE & set(columns)
    assert not {"year", "tailnum", "flight", "time_hour", "sched_dep_time"} & set(columns)
    assert {parameters["label"], *parameters["slices"]} <= set(columns)
    assert columns["late"] == "integer"
    assert columns["distance"] == "float"


def test_splits_have_their_shares(ingested):
    rows = read_snapshot(ingested / "snapshot").rows
    assert {split: round(count / 327_346, 2) for split, count in rows.items()} == {
        "train": 0.8, "eval": 0.1, "test": 0.1,
    }  # fmt: skip


def test_file_sets_only_parameters_that_training_has(parameters):
    golden = FILE.parents[2] / "tests" / "golden" / "training.yaml"
    assert set(parameters) <= set(read_package(golden).inputs)

"""The joined job's parameter file, run by the ingestion room over five real days."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from components.common.artifacts import SPLITS
from components.common.config import build_config
from components.ingestion.config import IngestionConfig
from components.ingestion.ingest import ingest_sources
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from components.ingestion.split import SplitRule
from pipelines.local.reading import read_package

FILE = Path(__file__).parents[3] / "pipelines" / "parameters" / "flights_weather.yaml"
NOW = pl.datetime(2013, 1, 3, 17, 30, time_zone="UTC")  # what comes later is not known yet
ASKED = [pl.col(name) for name in ("day", "hour", "minute")]


@pytest.fixture(scope="module")
def parameters():
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables(flights_folder):
    """Five days of flights with the moment of each schedule, the weather, and the planes."""
    flights = pl.read_csv(
        flights_folder / "flights-2013-01.csv", null_values=["NA"], infer_schema_length=None
    )
    flights = flights.filter(pl.col("day") <= 5).with_columns(
        (pl.col("time_hour").str.to_datetime(time_zone="UTC") + pl.duration(minutes="minute")).alias(
            "planned"
        )
    )
    weather = pl.read_csv(flights_folder / "weather.csv", infer_schema=False)
    return flights, weather.filter(pl.col("month") == "1"), flights_folder / "planes.csv"


def rows(parameters, tables, folder):
    flights, weather, planes = tables
    folder.mkdir()
    flights.drop("planned").write_csv(folder / "flights.csv", null_value="NA")
    weather.write_csv(folder / "weather.csv")
    sources = {
        "flights": f"{folder}/flights.csv",
        "weather": f"{folder}/weather.csv",
        "planes": str(planes),
    }
    ingest_sources(
        read_sources(sources), resolve_files(sources),
        build_config(SplitRule, parameters["split"], where="split"), IngestionConfig(allow_empty=True),
        query=parameters["query"], examples=folder / "examples", snapshot=folder / "snapshot",
    )  # fmt: skip
    found = pl.concat([pl.read_parquet(folder / "examples" / split / "*.parquet") for split in SPLITS])
    return found.sort(found.columns)


def test_every_flight_that_arrived_is_there_once(parameters, tables, tmp_path):
    found = rows(parameters, tables, tmp_path / "all")
    assert found.height == tables[0].filter(pl.col("arr_delay").is_not_null()).height
    assert found["late"].sum() == (tables[0]["arr_delay"] >= 15).sum()
    assert found["temp"].null_count() == 0
    assert found["recent_delay"].null_count() < found.height / 5


def test_what_is_known_only_after_the_question_changes_no_row(parameters, tables, tmp_path):
    flights, weather, planes = tables
    left = pl.col("planned") + pl.duration(minutes="dep_delay")
    later = (left > NOW) | left.is_null()
    unknown = [
        pl.when(later).then(None).otherwise(pl.col(name)).alias(name) for name in ("dep_time", "dep_delay")
    ]
    seen = weather.filter(pl.col("time_hour").str.to_datetime(time_zone="UTC") <= NOW)
    past = flights.filter(pl.col("planned") - timedelta(hours=1) <= NOW).select(ASKED).unique()
    before = rows(parameters, tables, tmp_path / "all").join(past, on=["day", "hour", "minute"], how="semi")
    after = rows(parameters, (flights.with_columns(unknown), seen, planes), tmp_path / "known")
    after = after.join(past, on=["day", "hour", "minute"], how="semi")
    assert before.height > 1_500
    assert after.sort(after.columns).equals(before.sort(before.columns))


def test_columns_of_the_outcome_are_out_and_parameters_are_the_pipeline_s(parameters, tables, tmp_path):
    columns = set(rows(parameters, tables, tmp_path / "all").columns)
    assert not {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"} & columns
    assert {parameters["label"], *parameters["slices"], *parameters["split"]["key"]} <= columns
    golden = FILE.parents[2] / "tests" / "golden" / "training.yaml"
    assert set(parameters) <= set(read_package(golden).inputs)

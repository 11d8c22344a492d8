"""A small table with every kind of column, as ingestion and data validation would leave it."""

import datetime
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.transform.component import transform

ROWS = 400
KINDS = {
    "size (m²)/flat": "float",
    "price": "float",
    "rooms": "integer",
    "metres": "integer",
    "garden": "boolean",
    "town": "string",
    "street": "string",
    "id": "string",
    "remark": "string",
    "built": "date",
    "sold": "timestamp",
    "country": "string",
    "empty": "float",
    "good": "boolean",
}


def _gaps(values, every):
    """Make every so-many-th value missing."""
    return [None if place % every == 0 else value for place, value in enumerate(values)]


def _table(seed, rows=ROWS):
    draw = np.random.default_rng(seed)
    size = draw.normal(80, 20, rows).tolist()
    built = [
        datetime.date(1999, 1, 1) + datetime.timedelta(days)
        for days in draw.integers(0, 9000, rows).tolist()
    ]
    sold = [
        datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=n)
        for n in draw.integers(0, 9000, rows).tolist()
    ]
    columns = {
        "size (m²)/flat": _gaps(size, 10),
        "price": draw.lognormal(12, 1, rows).tolist(),
        "rooms": _gaps(draw.integers(1, 6, rows).tolist(), 15),
        "metres": draw.integers(0, 10**6, rows).tolist(),
        "garden": draw.integers(0, 2, rows).tolist(),
        "town": _gaps(draw.choice(["Rome", "Oslo", "Zürich"], rows).tolist(), 20),
        "street": [f"street {number}" for number in draw.permutation(rows) % 40],
        "id": [f"{seed}-{place:06d}" for place in range(rows)],
        "remark": [f"a long text of many words, not {place % 2}" for place in range(rows)],
        "built": [date.isoformat() for date in built],
        "sold": _gaps([time.isoformat() for time in sold], 7),
        "country": ["IT"] * rows,
        "empty": [math.nan] * rows,
        "good": [None if place == 3 else int(value > 80) for place, value in enumerate(size)],
    }
    types = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.int64()}
    return pa.table(
        {name: pa.array(columns[name], types.get(kind, pa.string())) for name, kind in KINDS.items()}
    )


def _schema():
    schema = schema_pb2.Schema()
    types = {"integer": schema_pb2.INT, "boolean": schema_pb2.INT, "float": schema_pb2.FLOAT}
    for name, kind in KINDS.items():
        feature = schema.feature.add(name=name, type=types.get(kind, schema_pb2.BYTES))
        if kind == "boolean":
            feature.bool_domain.SetInParent()
        if kind in ("date", "timestamp"):
            feature.time_domain.string_format = "%Y-%m-%d" if kind == "date" else "%Y-%m-%dT%H:%M:%S"
    return text_format.MessageToString(schema)


@pytest.fixture(scope="session")
def tables():
    return {"train": _table(1), "eval": _table(2, rows=100)}


@pytest.fixture(scope="session")
def houses(tmp_path_factory, tables) -> Path:
    folder = tmp_path_factory.mktemp("houses")
    for split, table in tables.items():
        (folder / "examples" / split).mkdir(parents=True)
        half = table.num_rows // 2
        for part, piece in enumerate((table[:half], table[half:])):
            pq.write_table(piece, folder / "examples" / split / f"part-{part:05d}.parquet")
    (folder / "schema").mkdir()
    (folder / "schema" / "schema.pbtxt").write_text(_schema(), encoding="utf-8")
    return folder


class Port(SimpleNamespace):
    def __init__(self, path):
        super().__init__(path=str(path), metadata={})


def run(houses, out, **changes):
    """Call the door; returns the ports `transform_graph` and `transformed_examples`."""
    graph, transformed = Port(out / "graph"), Port(out / "transformed")
    transform.python_func(
        Port(houses / "examples"),
        Port(houses / "schema"),
        graph,
        transformed,
        Port(out / "report.html"),
        **{"label": "good", **changes},
    )
    return graph, transformed

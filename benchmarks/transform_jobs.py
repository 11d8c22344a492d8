"""One transform of the flights in a process of its own.

`python -m benchmarks.transform_jobs WHO WHAT FOLDER`, after `write_examples`.
"""

from __future__ import annotations

import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.record import Record, judge
from components.common.artifacts import Kind
from components.common.errors import UnavailableError

Who = Literal["ours", "tft"]
What = Literal["derived", "user"]

KINDS: dict[str, Kind] = {
    "month": "integer", "day": "integer", "hour": "integer", "minute": "integer", "carrier": "string",
    "origin": "string", "dest": "string", "tailnum": "string", "distance": "float", "date": "date",
    "late": "boolean",
}  # fmt: skip
MODULE = """
import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(inputs):
    outputs = {
        name: tft.compute_and_apply_vocabulary(inputs[name], top_k=1000, vocab_filename=name)
        for name in ("carrier", "origin", "dest")
    }
    outputs |= {name: inputs[name] for name in ("month", "day", "hour", "minute")}
    return outputs | {"distance": tft.scale_to_z_score(inputs["distance"])}
"""


COPIES = 10  # of the flights: 3.27 million rows
ROWS = 327_346


class Cost(NamedTuple):
    """What a job took: seconds, wall and processor, without imports, and its peak of memory in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


@functools.cache
def cost_of(who: Who, what: What, copies: int) -> Cost:
    """Run a job in a fresh process over so many copies of the 327,346 flights that arrived.

    Raises:
        UnavailableError: It failed.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-transform-") as folder:
        write_examples(Path(folder), copies)
        command = [sys.executable, "-m", "benchmarks.transform_jobs", who, what, folder]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UnavailableError("the job failed", where=" ".join(command[2:5]), value=done.stderr[-300:])
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def write_examples(folder: Path, copies: int) -> None:
    """Write examples, schema and module: so many copies of the flights that arrived, 1,000 for eval."""
    import polars as pl

    flights = pl.concat(
        pl.read_csv(file, null_values="NA", infer_schema_length=None)
        for file in sorted(Path("data/flights").glob("flights-2013-*.csv"))
    ).filter(pl.col("arr_delay").is_not_null())
    rows = flights.select(
        *(pl.col(name) for name in KINDS if name not in ("date", "late", "distance")),
        distance=pl.col("distance").cast(pl.Float64),
        date=pl.date("year", "month", "day").dt.to_string(),
        late=(pl.col("arr_delay") >= 15).cast(pl.Int64),
    ).select(list(KINDS))
    types = {"integer": pa.int64(), "boolean": pa.int64(), "float": pa.float64()}
    table = rows.to_arrow().cast(
        pa.schema([(name, types.get(kind, pa.string())) for name, kind in KINDS.items()])
    )
    for split, parts in (("train", copies), ("eval", 1)):
        (folder / "examples" / split).mkdir(parents=True)
        for part in range(parts):
            some = table if split == "train" else table[:1000]
            pq.write_table(
                some, folder / "examples" / split / f"part-{part:05d}.parquet", compression="zstd"
            )
    _write_schema(folder / "schema")
    (folder / "module.py").write_text(MODULE, encoding="utf-8")


def _write_schema(folder: Path) -> None:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2 as generated

    schema_pb2: Any = generated
    schema = schema_pb2.Schema()
    types = {"integer": schema_pb2.INT, "boolean": schema_pb2.INT, "float": schema_pb2.FLOAT}
    for name, kind in KINDS.items():
        feature = schema.feature.add(name=name, type=types.get(kind, schema_pb2.BYTES))
        if kind == "date":
            feature.time_domain.string_format = "%Y-%m-%d"
        if kind == "boolean":
            feature.bool_domain.SetInParent()
    folder.mkdir()
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(schema), encoding="utf-8")


def _ours(what: What, folder: Path) -> float:
    from components.transform.config import TransformConfig
    from components.transform.transform import transform_examples

    started = time.perf_counter()
    transform_examples(
        folder / "examples", folder / "schema", transform_graph=folder / "graph",
        transformed_examples=folder / "transformed", report=folder / "report.html", label="late", task=None,
        features={}, module=folder / "module.py" if what == "user" else None, config=TransformConfig(),
    )  # fmt: skip
    return time.perf_counter() - started


def compare(name: str, what: What, copies: int, bound: float) -> Record:
    """Return the record of ours against TFT over Beam."""
    ours, peer = cost_of("ours", what, copies), cost_of("tft", what, copies)
    return judge(
        name, ours.seconds, peer=peer.seconds, at="most", bound=bound,
        conditions={
            "unit": "seconds, wall, without imports", "rows": ROWS * copies, "columns": len(KINDS) - 1,
            "peer": "TFT over Beam (FnApiRunner): analysis and transform, from Parquet into Parquet",
            "cpu_seconds": round(ours.cpu_seconds, 2), "peer_cpu_seconds": round(peer.cpu_seconds, 2),
            "cpu_ratio": round(ours.cpu_seconds / peer.cpu_seconds, 3),
            "peak_mib": round(ours.peak_mib), "peer_peak_mib": round(peer.peak_mib),
        },
    )  # fmt: skip


if __name__ == "__main__":
    from benchmarks.peers.tft_beam import transform_with_beam

    work = Path(sys.argv[3])
    started = time.process_time()
    job = _ours if sys.argv[1] == "ours" else transform_with_beam
    seconds = job("user" if sys.argv[2] == "user" else "derived", work)
    cpu = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak}))

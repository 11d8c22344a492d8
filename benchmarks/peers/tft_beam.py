"""The peer of the transform: TFT's analysis and TransformDataset over Beam, from the same Parquet."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow_transform.beam as tft_beam
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from components.common.artifacts import Kind
from components.transform.analyse import TftAnalysis, arrow_schema, dense, read_lists
from components.transform.config import TransformConfig
from components.transform.plan import make_plan
from components.transform.preprocess import derived_preprocessing
from components.transform.read_columns import read_batches, read_kinds
from components.transform.wrap_module import load_preprocessing_fn

BATCH_ROWS = 16_384


def transform_with_beam(what: str, folder: Path) -> float:
    """Return the seconds that TFT over Beam takes for the features that we derive, or the user's own.

    Which features these are is found before the clock starts; the peer is not charged for it.
    """
    kinds = read_kinds(folder / "schema")
    inputs: dict[str, Kind] = {name: kind for name, kind in kinds.items() if name != "late"}
    function = load_preprocessing_fn(folder / "module.py")
    if what == "derived":
        plan = make_plan(
            lambda columns: read_batches(folder / "examples", "train", columns, batch_rows=BATCH_ROWS),
            kinds, label="late", task=None, features={}, module=None, config=TransformConfig(),
        )  # fmt: skip
        inputs, function = plan.inputs, derived_preprocessing(plan.derived, TftAnalysis())
    started = time.perf_counter()
    _run(folder, inputs, function)
    return time.perf_counter() - started


def _run(folder: Path, inputs: dict[str, Kind], function: Any) -> None:
    os.chdir(folder)
    schema = arrow_schema(inputs)
    config = TensorAdapterConfig(schema, {name: dense(name) for name in inputs})
    Path("rows").mkdir()
    with beam.Pipeline(FnApiRunner()) as pipeline, tft_beam.Context("temporary"):
        data: dict[str, Any] = {}
        for split in ("train", "eval"):
            files = [str(file) for file in sorted((folder / "examples" / split).iterdir())]
            paths = pipeline | f"files {split}" >> beam.Create(files, reshuffle=False)
            data[split] = paths | f"read {split}" >> beam.FlatMap(read_lists, inputs, schema, BATCH_ROWS)
        graph = (data["train"], config) | tft_beam.AnalyzeDataset(function)
        _ = graph | tft_beam.WriteTransformFn("graph")
        for split, batches in data.items():
            transform = tft_beam.TransformDataset(output_record_batches=True)
            transformed, _ = ((batches, config), graph) | f"transform {split}" >> transform
            _ = transformed | f"write {split}" >> beam.ParDo(_Write(f"rows/{split}.parquet"))


class _Write(beam.DoFn):
    """Writes record batches into one file, as long as the pipeline runs."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path, self._writer = path, None

    def process(self, element: Any) -> None:
        batch = element[0]
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, batch.schema, compression="zstd")
        self._writer.write_table(pa.Table.from_batches([batch]))

    def teardown(self) -> None:
        if self._writer is not None:
            self._writer.close()

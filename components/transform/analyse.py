"""Analysing the train split: TensorFlow Transform over Beam, in this process."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow  # noqa: F401 # pyright: ignore[reportUnusedImport] - see preprocess.py: before TFT
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from tensorflow_metadata.proto.v0 import schema_pb2 as generated
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from components.common.artifacts import Kind
from components.common.encoding import DATATYPES, encode_column
from components.common.saved_models import order_nodes
from components.transform.preprocess import PreprocessingFn

schema_pb2: Any = generated  # its classes are made when it is imported; no checker sees them
_ARROW = {"FP32": pa.float32(), "INT64": pa.int64(), "BYTES": pa.binary()}


def analyse_examples(
    read: Callable[[], Iterator[Any]],
    inputs: Mapping[str, Kind],
    preprocessing_fn: PreprocessingFn,
    *,
    transform_graph: Path,
) -> None:
    """Compute what the preprocessing function asks of the whole train split, and write its graph.

    Args:
        read: Returns the Arrow record batches of the train split; called once.
        inputs: Columns that the graph takes, with their kinds, in order.
        preprocessing_fn: Takes one dense tensor `[rows]` per input, missing values as markers.
        transform_graph: Folder to write: TFT's own layout.
    """
    target = transform_graph.absolute()
    schema = pa.schema([(name, pa.list_(_ARROW[DATATYPES[kind]])) for name, kind in inputs.items()])
    config = TensorAdapterConfig(schema, {name: _dense(name) for name in inputs})

    def batches_of(_: int) -> Iterator[Any]:
        return (_as_lists(batch, inputs, schema) for batch in read())

    # TFT writes its temporary directory into table names: a fixed relative one keeps bytes equal, and
    # paths of this machine out of models.
    with tempfile.TemporaryDirectory(prefix="transform-") as work, contextlib.chdir(work):
        with _pipeline() as pipeline, tft_beam.Context(temp_dir="temporary", force_tf_compat_v1=False):
            start = pipeline | beam.Create([0], reshuffle=False)  # one element: Create would copy the data
            graph = (start | beam.FlatMap(batches_of), config) | tft_beam.AnalyzeDataset(preprocessing_fn)
            _ = graph | tft_beam.WriteTransformFn("graph")
        order_nodes(Path("graph/transform_fn"))
        shutil.copytree("graph", target)


def _pipeline() -> Any:
    options = PipelineOptions(flags=[], pipeline_type_check=False)  # every stage but ours is TFT's own
    return beam.Pipeline(runner=FnApiRunner(), options=options)


def _as_lists(batch: Any, inputs: Mapping[str, Kind], schema: Any) -> Any:
    offsets = pa.array(np.arange(batch.num_rows + 1, dtype=np.int32))
    columns = [
        pa.ListArray.from_arrays(
            offsets, pa.array(encode_column(batch.column(name), DATATYPES[kind], name=name))
        )
        for name, kind in inputs.items()
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _dense(name: str) -> Any:
    representation = schema_pb2.TensorRepresentation()
    representation.dense_tensor.column_name = name
    representation.dense_tensor.shape.SetInParent()
    return representation

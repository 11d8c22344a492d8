"""Analysing the train split: TensorFlow Transform over Beam, in this process or where options say."""

from __future__ import annotations

import contextlib
import functools
import logging
import tempfile
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from tensorflow_metadata.proto.v0 import schema_pb2 as generated
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from components.common.artifacts import Kind
from components.common.encoding import DATATYPES, encode_column
from components.common.errors import BadInputError
from components.common.saved_models import order_nodes, rename_tables
from components.transform.derive import Derived
from components.transform.library import tf, tft
from components.transform.measure import epsilon_of, parts_of
from components.transform.preprocess import PreprocessingFn, vocabulary_name
from components.transform.read_columns import read_file

schema_pb2: Any = generated  # its classes are made when it is imported; no checker sees them
PLACE = "temporary"  # TFT writes it into table names: equal bytes, and no path of this machine in a model
_ARROW = {"FP32": pa.float32(), "INT64": pa.int64(), "BYTES": pa.binary()}


class TftAnalysis:
    """An `Analysis` that TFT's analyzers answer."""

    def clip(self, feature: Derived, numbers: Any, known: Any) -> Any:
        """Return numbers clipped to two quantiles, unless these are one and the same."""
        share = feature.clip_share
        quantiles = tft.quantiles(known, parts_of(share), epsilon_of(share))
        low, high = (tf.cast(quantiles[0, end], tf.float64) for end in (0, -1))
        return tf.where(low < high, tf.clip_by_value(numbers, low, high), numbers)

    def moments(self, feature: Derived, known: Any) -> tuple[Any, Any]:
        """Return mean and deviation."""
        del feature
        return tft.mean(known), tf.sqrt(tft.var(known))

    def vocabulary(self, feature: Derived, known: Any) -> Any:
        """Return the path of the vocabulary's file."""
        # The sketch of `approximate_vocabulary` is exact while all distinct values fit, and much faster.
        vocabulary = tft.vocabulary if feature.truncated else tft.experimental.approximate_vocabulary
        return vocabulary(known, top_k=feature.size, vocab_filename=vocabulary_name(feature))


def analyse_examples(
    files: Sequence[Path],
    inputs: Mapping[str, Kind],
    preprocessing_fn: PreprocessingFn,
    *,
    transform_graph: Path,
    batch_rows: int,
    beam_options: Sequence[str] = (),
) -> None:
    """Compute what the preprocessing function asks of the whole train split, and write its graph.

    Args:
        files: Parquet files of the train split; each is read where Beam's worker runs.
        inputs: Columns that the graph takes, with their kinds, in order.
        preprocessing_fn: Takes one dense tensor `[rows]` per input, missing values as markers.
        transform_graph: Folder to write: TFT's own layout.
        batch_rows: Rows held in memory at a time.
        beam_options: Beam's own options; none runs it in this process.

    Raises:
        BadInputError: No such runner, or the function gives what cannot be a feature.
    """
    target = transform_graph.absolute()
    schema = arrow_schema(inputs)
    config = TensorAdapterConfig(schema, {name: dense(name) for name in inputs})
    read = functools.partial(read_lists, inputs=dict(inputs), schema=schema, batch_rows=batch_rows)
    paths = [str(file.absolute()) for file in files]
    pipeline, place = _pipeline(beam_options), _working_place(beam_options)
    with tempfile.TemporaryDirectory(prefix="transform-") as work, contextlib.chdir(work):
        with _quiet(), pipeline, tft_beam.Context(place, force_tf_compat_v1=False):
            # Paths, since Create would copy the data itself.
            start = pipeline | beam.Create(paths, reshuffle=bool(beam_options))
            graph = (start | beam.FlatMap(read), config) | tft_beam.AnalyzeDataset(preprocessing_fn)
            _ = graph | tft_beam.WriteTransformFn(f"{place}/graph")
        _fetch(f"{place}/graph", target)
        tf.io.gfile.rmtree(place)
    rename_tables(target / "transform_fn", place, PLACE)
    order_nodes(target / "transform_fn")


def _pipeline(options: Sequence[str]) -> Any:
    settings = PipelineOptions(flags=list(options), pipeline_type_check=False)  # most stages are TFT's own
    runner = settings.view_as(StandardOptions).runner
    try:
        if runner in (None, "DirectRunner", "FnApiRunner"):  # Beam would choose by what is installed
            return beam.Pipeline(FnApiRunner(), settings)
        return beam.Pipeline(options=settings)
    except (ValueError, ImportError, AttributeError) as error:
        where = "parameter `transform.beam_options`"
        raise BadInputError(f"not a runner of Beam: {error}", where=where, value=runner) from error


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep Beam from logging an error that it also raises: the rows of the batch would be in it."""
    logger = logging.getLogger("apache_beam")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _working_place(options: Sequence[str]) -> str:
    """Return where TFT keeps what its workers share: a relative folder, or one below `--temp_location`."""
    shared = PipelineOptions(flags=list(options)).view_as(GoogleCloudOptions).temp_location
    return f"{shared.rstrip('/')}/transform-{uuid.uuid4().hex[:12]}" if shared else PLACE


def _fetch(graph: str, target: Path) -> None:
    for folder, _, names in tf.io.gfile.walk(graph):
        inner = target / folder.removeprefix(graph).strip("/")
        inner.mkdir(parents=True)
        for name in names:
            tf.io.gfile.copy(f"{folder}/{name}", str(inner / name))


def arrow_schema(inputs: Mapping[str, Kind]) -> Any:
    """Return the Arrow schema that TFT takes: lists of one value a row."""
    return pa.schema([(name, pa.list_(_ARROW[DATATYPES[kind]])) for name, kind in inputs.items()])


def read_lists(path: str, inputs: Mapping[str, Kind], schema: Any, batch_rows: int) -> Iterator[Any]:
    """Yield the record batches of one Parquet file in that schema, missing values as markers."""
    for batch in read_file(Path(path), list(inputs), batch_rows=batch_rows):
        offsets = pa.array(np.arange(batch.num_rows + 1, dtype=np.int32))
        columns = [
            pa.ListArray.from_arrays(
                offsets, pa.array(encode_column(batch.column(name), DATATYPES[kind], name=name))
            )
            for name, kind in inputs.items()
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def dense(name: str) -> Any:
    """Return how TFT makes a tensor `[rows]` of a column of such lists."""
    representation = schema_pb2.TensorRepresentation()
    representation.dense_tensor.column_name = name
    representation.dense_tensor.shape.SetInParent()
    return representation

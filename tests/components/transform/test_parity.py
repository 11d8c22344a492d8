"""What is measured without Beam, held to TFT's own analysis, and rows to Beam's own transform."""

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow_transform.beam as tft_beam
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from components.transform.analyse import (
    TftAnalysis,
    analyse_examples,
    arrow_schema,
    dense,
    read_lists,
)
from components.transform.apply import load_graph, raw_tensors
from components.transform.derive import Derived
from components.transform.measure import epsilon_of, measure_columns
from components.transform.preprocess import derived_preprocessing
from components.transform.read_columns import read_file
from components.transform.write_graph import write_graph

ROWS = 5_000


def derived(column, kind, encoding, position, **changes):
    return Derived(column=column, kind=kind, encoding=encoding, position=position, why="", **changes)


FEATURES = [
    derived("float", "float", "number", 0, clip_share=0.01, indicator=True),
    derived("plain", "float", "number", 1),
    derived("rare", "float", "number", 2, clip_share=0.01),
    derived("integer", "integer", "number", 3, clip_share=0.01, indicator=True),
    derived("town", "string", "category", 4, size=1_000),
    derived("few", "string", "category", 5, size=2, truncated=True),
    derived("blank", "string", "category", 6, size=10),
    derived("code", "integer", "category", 7, size=1_000),
    derived("flag", "boolean", "category", 8, size=10),
    derived("hashed", "string", "hash", 9, size=50),
    derived("day", "date", "calendar", 10, clip_share=0.01, indicator=True),
    derived("time", "timestamp", "calendar", 11, clip_share=0.01, indicator=True),
]
INPUTS = {feature.column: feature.kind for feature in FEATURES}


def table():
    draw = np.random.default_rng(3)
    floats = draw.lognormal(3, 2, ROWS)
    floats[:5] = [np.inf, -np.inf, 1e300, np.nan, 3e38]
    towns = draw.choice(
        ["Rome", "Oslo", "Zürich", "", "a\nb", " ", "rome"], ROWS, p=[0.3, 0.3] + [0.08] * 5
    )
    days = draw.integers(0, 40_000, ROWS).astype("datetime64[D]").astype(str)
    times = draw.integers(0, 2**31, ROWS).astype("datetime64[s]").astype(str)
    days[:3], times[:3] = "2023-02-29", "9999-12-31T23:59:59"
    columns = {
        "float": pa.array(floats, mask=draw.random(ROWS) < 0.1),
        "plain": pa.array(draw.normal(1e6, 1, ROWS)),
        "rare": pa.array(np.where(np.arange(ROWS) < 20, 7.0, 0.0)),
        "integer": pa.array(draw.integers(-(2**62), 2**62, ROWS), mask=draw.random(ROWS) < 0.1),
        "town": pa.array(towns, mask=draw.random(ROWS) < 0.1),
        "few": pa.array(towns),
        "blank": pa.array(np.full(ROWS, ""), mask=draw.random(ROWS) < 0.5),
        "code": pa.array(draw.integers(-3, 12, ROWS)),
        "flag": pa.array(draw.integers(0, 2, ROWS), mask=draw.random(ROWS) < 0.1),
        "hashed": pa.array([f"value {place % 700}" for place in range(ROWS)]),
        "day": pa.array(days, mask=draw.random(ROWS) < 0.1),
        "time": pa.array(times),
    }
    return pa.table(columns)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity")
    pq.write_table(table(), folder / "part-00000.parquet")
    files = [folder / "part-00000.parquet"]
    measured = measure_columns(
        lambda columns: read_file(files[0], columns, batch_rows=700), FEATURES, max_correlation=0.99
    )
    write_graph(FEATURES, INPUTS, measured.columns, transform_graph=folder / "measured")
    function = derived_preprocessing(FEATURES, TftAnalysis())
    analyse_examples(files, INPUTS, function, transform_graph=folder / "tft", batch_rows=700)
    return folder


def answers(graph, folder, inputs=INPUTS):
    apply = load_graph(graph)
    batches = read_file(folder / "part-00000.parquet", list(inputs), batch_rows=700)
    parts = [apply(raw_tensors(batch, inputs)) for batch in batches]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}


def test_the_measured_graph_answers_as_tfts_own(graphs):
    ours, tfts = (answers(graphs / name, graphs) for name in ("measured", "tft"))
    assert sorted(ours) == sorted(tfts)
    for name, values in tfts.items():
        assert ours[name].dtype == values.dtype
        if values.dtype == np.int64:
            np.testing.assert_array_equal(ours[name], values, err_msg=name)
        else:
            np.testing.assert_allclose(ours[name], values, rtol=0, atol=1e-6, err_msg=name)


def test_vocabularies_are_tfts_byte_for_byte(graphs):
    def entries(name):
        files = (graphs / name / "transform_fn" / "assets").iterdir()
        return {file.name: file.read_bytes() for file in files if "006" not in file.name}

    assert entries("measured") == entries("tft")
    blank = graphs / "measured" / "transform_fn" / "assets" / "vocabulary_006_string"
    assert blank.read_bytes() == b"\x00\n"  # TFT writes an entry of its own, too, where none is left


def test_beam_transforms_the_rows_to_exactly_the_same_values(graphs):
    schema = arrow_schema(INPUTS)
    config = TensorAdapterConfig(schema, {name: dense(name) for name in INPUTS})
    (graphs / "beam").mkdir()
    with beam.Pipeline(FnApiRunner()) as pipeline, tft_beam.Context(str(graphs / "temporary")):
        graph = pipeline | tft_beam.ReadTransformFn(str(graphs / "measured"))
        paths = pipeline | beam.Create([str(graphs / "part-00000.parquet")], reshuffle=False)
        data = paths | beam.FlatMap(read_lists, INPUTS, schema, ROWS)  # one batch: the order is kept
        transformed, _ = ((data, config), graph) | tft_beam.TransformDataset(output_record_batches=True)
        _ = transformed | beam.MapTuple(
            lambda batch, _: pq.write_table(pa.table(batch), graphs / "beam" / "0")
        )
    theirs = pq.read_table(graphs / "beam" / "0")
    for name, values in answers(graphs / "measured", graphs).items():
        np.testing.assert_array_equal(
            values, theirs[name].combine_chunks().flatten().to_numpy(), err_msg=name
        )


def test_quantiles_are_within_the_rank_error_of_numpys(tmp_path):
    draw = np.random.default_rng(5)
    values = draw.lognormal(0, 2, 200_000)
    pq.write_table(pa.table({"x": values}), tmp_path / "x.parquet")
    for share in (0.001, 0.05):
        feature = derived("x", "float", "number", 0, clip_share=share)
        measured = measure_columns(
            lambda columns: read_file(tmp_path / "x.parquet", columns, batch_rows=10_000),
            [feature],
            max_correlation=1.0,
        ).columns["x"]
        ranks = [np.mean(values.astype(np.float32) <= bound) for bound in measured.clip]
        np.testing.assert_allclose(ranks, [share, 1 - share], atol=2 * epsilon_of(share))


def test_workers_elsewhere_that_share_a_folder_find_the_same_and_leave_nothing(graphs, tmp_path):
    options = [
        "--direct_running_mode=multi_processing", "--direct_num_workers=2",
        f"--temp_location={tmp_path}/shared",
    ]  # fmt: skip
    some = [feature for feature in FEATURES if feature.column in ("plain", "town", "flag")]
    inputs = {feature.column: feature.kind for feature in some}
    function = derived_preprocessing(some, TftAnalysis())
    analyse_examples(
        [graphs / "part-00000.parquet"], inputs, function, transform_graph=tmp_path / "far",
        batch_rows=700, beam_options=options,
    )  # fmt: skip
    near, far = answers(graphs / "measured", graphs), answers(tmp_path / "far", graphs, inputs)
    for name, values in far.items():
        np.testing.assert_allclose(values, near[name], rtol=0, atol=1e-6, err_msg=name)
    assert list((tmp_path / "shared").iterdir()) == []
    assert str(tmp_path).encode() not in (tmp_path / "far" / "transform_fn" / "saved_model.pb").read_bytes()

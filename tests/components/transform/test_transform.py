"""The whole room on a small table; expected values come from NumPy and the standard library."""

import datetime
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.runners.runner import PipelineRunner

from components.common.artifacts import read_transform
from components.common.errors import BadInputError
from components.common.storage import content_digest
from components.transform.config import TransformConfig
from tests.components.transform.conftest import run


def read(transformed, split):
    return pq.read_table(f"{transformed.path}/{split}")


@pytest.fixture(scope="module")
def done(houses, tmp_path_factory):
    out = tmp_path_factory.mktemp("done")
    options = {"max_vocabulary": 30.0, "hash_buckets": 16.0, "batch_rows": 128.0}
    graph, transformed = run(houses, out, options=options)
    summary = read_transform(out / "graph")
    return SimpleNamespace(out=out, graph=graph, transformed=transformed, summary=summary, options=options)


def test_the_summary_says_what_was_derived_and_what_was_dropped(done):
    sizes = {feature["name"]: (feature["encoding"], feature["size"]) for feature in done.summary.features}
    assert sizes == {
        "size (m²)/flat.number": ("number", 1), "size (m²)/flat.missing": ("number", 1),
        "price.number": ("number", 1), "rooms.index": ("index", 7), "metres.number": ("number", 1),
        "garden.index": ("index", 4), "town.index": ("index", 5), "street.index": ("index", 17),
        "built.month": ("index", 13), "built.day": ("index", 32), "built.weekday": ("index", 8),
        "built.days": ("number", 1),
        "sold.month": ("index", 13), "sold.day": ("index", 32), "sold.weekday": ("index", 8),
        "sold.hour": ("index", 25), "sold.days": ("number", 1), "sold.missing": ("number", 1),
    }  # fmt: skip
    assert list(done.summary.dropped) == ["id", "remark", "country", "empty"]
    assert (done.summary.task, done.summary.classes) == ("binary", ["0", "1"])
    assert "good" not in done.summary.inputs
    assert done.graph.metadata == {"task": "binary", "features": 18, "dropped": 4}


def test_columns_have_fixed_width_and_rows_without_a_label_are_left_out(done, tables):
    for split, table in tables.items():
        found = read(done.transformed, split)
        assert found.column_names == [feature["name"] for feature in done.summary.features] + ["label"]
        assert {str(column.type) for column in found.columns} == {"float", "int64"}
        assert found["label"].to_pylist() == [float(v) for v in table["good"].to_pylist() if v is not None]


def kept(table, name):
    return [
        value
        for value, good in zip(table[name].to_pylist(), table["good"].to_pylist(), strict=True)
        if good is not None
    ]


def test_numbers_are_z_scores_of_the_train_split_and_missing_is_its_mean(done, tables):
    train = np.array(tables["train"]["size (m²)/flat"].to_pylist(), np.float64)
    raw = np.array(kept(tables["eval"], "size (m²)/flat"), np.float64)
    expected = np.nan_to_num((raw - np.nanmean(train)) / np.nanstd(train), nan=0.0)
    found = read(done.transformed, "eval")
    np.testing.assert_allclose(found["size (m²)/flat.number"].to_numpy(), expected, atol=1e-5)
    np.testing.assert_array_equal(found["size (m²)/flat.missing"].to_numpy(), np.isnan(raw))


@pytest.mark.parametrize("name", ["town", "rooms"])
def test_vocabulary_indices_follow_frequency_after_missing_and_unseen(done, tables, name):
    counts = Counter(value for value in tables["train"][name].to_pylist() if value is not None)
    ranked = sorted(counts, key=lambda value: (counts[value], str(value)), reverse=True)
    index = {None: 0} | {value: place for place, value in enumerate(ranked, 2)}
    found = read(done.transformed, "eval")[f"{name}.index"].to_pylist()
    assert found == [index[value] for value in kept(tables["eval"], name)]


def test_dates_become_calendar_parts(done, tables):
    dates = [datetime.date.fromisoformat(text) for text in kept(tables["eval"], "built")]
    found = read(done.transformed, "eval")
    assert found["built.weekday"].to_pylist() == [date.isoweekday() for date in dates]
    assert found["built.month"].to_pylist() == [date.month for date in dates]
    hours = [0 if text is None else int(text[11:13]) + 1 for text in kept(tables["eval"], "sold")]
    assert found["sold.hour"].to_pylist() == hours


def test_indices_stay_in_their_range(done):
    for split in ("train", "eval"):
        found = read(done.transformed, split)
        for feature in done.summary.features:
            if feature["encoding"] == "index":
                values = found[feature["name"]].to_numpy()
                assert 0 <= values.min() <= values.max() < feature["size"], feature


def test_unseen_missing_and_malformed_values_are_answered(done):
    from components.common.artifacts import MISSING_INTEGER
    from components.transform.apply import load_graph

    raw = {
        "size (m²)/flat": [np.inf, np.nan], "price": [1e30, np.nan], "rooms": [99, MISSING_INTEGER],
        "metres": [-(2**62), MISSING_INTEGER], "garden": [7, MISSING_INTEGER], "town": [b"Bern", b"\x00"],
        "street": [b"", b"\x00"], "built": [b"soon", b"\x00"], "sold": [b"2024-02-30T00:00:00", b"\x00"],
    }  # fmt: skip
    types = {"float": np.float32, "integer": np.int64, "boolean": np.int64}
    arrays = {
        name: np.array(raw[name], types.get(kind, object)) for name, kind in done.summary.inputs.items()
    }
    import tensorflow as tf

    found = load_graph(done.out / "graph")({name: tf.constant(values) for name, values in arrays.items()})
    assert all(np.isfinite(values.numpy()).all() for values in found.values())
    assert found["town.index"].numpy().tolist() == [1, 0]
    assert found["rooms.index"].numpy().tolist() == [1, 0]
    assert found["built.month"].numpy().tolist() == [0, 0]
    assert found["size (m²)/flat.missing"].numpy().tolist() == [1.0, 1.0]
    assert found["street.index"].numpy()[0] > 0


MODULE = """
import tensorflow as tf
import tensorflow_transform as tft

def preprocessing_fn(inputs):
    metres = tf.cast(inputs["metres"], tf.float32)
    town = tft.compute_and_apply_vocabulary(inputs["town"], vocab_filename="town")
    return {"metres": tft.scale_to_0_1(metres), "garden": inputs["garden"], "town": town}
"""

RUN = """
import sys
from pathlib import Path
from components.transform.config import TransformConfig
from components.transform.transform import transform_examples

houses, out = Path(sys.argv[1]), Path(sys.argv[2])
module = houses / "same.py"
for way, own in (("derived", None), ("user", module)):
    transform_examples(
        houses / "examples", houses / "schema", transform_graph=out / way,
        transformed_examples=out / f"{way}-rows", report=out / "report.html", label="good", task=None,
        features={}, module=own, config=TransformConfig(),
    )
"""


def test_two_processes_in_two_places_give_the_same_bytes_without_paths(houses, tmp_path):
    (houses / "same.py").write_text(MODULE)
    started = []
    for seed in ("1", "2"):
        place = tmp_path / f"work-{seed}"
        (place / "scratch").mkdir(parents=True)
        environment = {
            **os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd(),
            "TMPDIR": str(place / "scratch"),
        }  # fmt: skip
        command = [sys.executable, "-c", RUN, str(houses), str(tmp_path / seed)]
        started.append(subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.DEVNULL))
    assert [process.wait(timeout=300) for process in started] == [0, 0]
    assert content_digest(tmp_path / "1") == content_digest(tmp_path / "2")
    assert (tmp_path / "1" / "report.html").read_bytes() == (tmp_path / "2" / "report.html").read_bytes()
    for way in ("derived", "user"):
        graph = (tmp_path / "1" / way / "transform_fn" / "saved_model.pb").read_bytes()
        for path in (tmp_path, Path(tempfile.gettempdir()), houses):
            assert str(path).encode() not in graph


def test_regression_on_a_column_with_a_module_of_ones_own(houses, tmp_path):
    module = tmp_path / "module.py"
    module.write_text(MODULE)
    _, transformed = run(houses, tmp_path, label="price", module_uri=str(module))
    summary = read_transform(tmp_path / "graph")
    assert (summary.task, summary.classes) == ("regression", [])
    assert {feature["name"]: feature["size"] for feature in summary.features} == {
        "garden": 4, "metres": 1, "town": 6,
    }  # fmt: skip
    metres = read(transformed, "train")["metres"].to_numpy()
    assert (metres.min(), metres.max()) == (0.0, 1.0)
    assert set(read(transformed, "train")["garden"].to_pylist()) == {1, 2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "goood"}, "did you mean `good`"),
        ({"label": "town", "task": "regression"}, "numeric label"),
        ({"features": {"pric": "drop"}}, "did you mean `price`"),
        ({"features": {"good": "number"}}, "the label is never a feature"),
        ({"options": {"max_vocabulry": 3}}, "did you mean `max_vocabulary`"),
        ({"options": {"hash_buckets": 1}}, "hash_buckets >= 2"),
        ({"module_uri": "/nowhere/module.py"}, "no such Python file"),
        ({"options": {"beam_options": "--runner=FlinkRunner"}}, "must be a list"),
        ({"options": {"beam_options": ["--runner=Flonk"]}}, "not a runner of Beam"),
    ],
)
def test_a_mistake_of_the_caller_ends_with_one_line_and_no_output(
    houses, tmp_path, capsys, changes, message
):
    with pytest.raises(SystemExit) as ended:
        run(houses, tmp_path, **changes)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def preprocessing_fn(inputs):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def preprocessing_fn(inputs):\n    return {'town': inputs['town']}\n", "float or an integer"),
        ("def preprocessing_fn(inputs):\n    return {'label': inputs['price']}\n", "`label` is taken"),
        ("import nothing_like_this\n", "nothing_like_this"),
        ("def preprocessing_fn(:\n", "SyntaxError"),
    ],
)
def test_a_fault_in_the_module_is_named(houses, tmp_path, capsys, source, message):
    (tmp_path / "module.py").write_text(source)
    with pytest.raises(SystemExit):
        run(houses, tmp_path / "out", module_uri=str(tmp_path / "module.py"))
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "graph").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "schema is missing"),
        ("", "names no column"),
        ("feature {", "not a schema"),
        ("x" * 99, "not a"),
    ],
)
def test_a_schema_that_is_none_is_refused_and_never_inferred(houses, tmp_path, capsys, text, message):
    (tmp_path / "schema").mkdir()
    (tmp_path / "examples").symlink_to(houses / "examples")
    if text is not None:
        (tmp_path / "schema" / "schema.pbtxt").write_text(text)
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, tmp_path / "out")
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


class Unreachable(PipelineRunner):
    """A runner whose cluster does not answer."""

    def run_pipeline(self, pipeline, options):
        raise ConnectionError("no route to the job server\nrow: a value")


def test_a_runner_that_does_not_answer_ends_with_4(houses, tmp_path, capsys):
    options = {"beam_options": [f"--runner={__name__}.Unreachable"]}
    with pytest.raises(SystemExit) as ended:
        run(houses, tmp_path, options=options)
    told = capsys.readouterr().err
    assert ended.value.code == 4
    assert "Beam failed: ConnectionError: no route to the job server —" in told
    assert "a value" not in told
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_is_empty_in_one_split_is_missing_there(houses, tables, tmp_path):
    (tmp_path / "schema").symlink_to(houses / "schema")
    for split, table in tables.items():
        if split == "eval":
            for name in ("town", "price", "rooms", "sold"):
                empty = pa.nulls(table.num_rows)
                table = table.set_column(table.column_names.index(name), name, empty)
        (tmp_path / "examples" / split).mkdir(parents=True)
        pq.write_table(table, tmp_path / "examples" / split / "part-00000.parquet")
    _, transformed = run(tmp_path, tmp_path / "out")
    found = read(transformed, "eval")
    for name in ("town.index", "price.number", "rooms.index", "sold.month"):
        assert set(found[name].to_pylist()) == {0}


def test_a_column_of_the_schema_that_the_examples_lack_is_named(houses, tmp_path):
    from components.transform.read_columns import read_batches

    with pytest.raises(BadInputError, match="nowhere"):
        next(read_batches(houses / "examples", "train", ["town", "nowhere"], batch_rows=10))


@pytest.mark.parametrize(
    "knob",
    [
        {"max_vocabulary": 0},
        {"max_vocabulary_integers": -1},
        {"hash_buckets": 1},
        {"max_words": 0.5},
        {"max_identifier_share": 0.0},
        {"batch_rows": 0},
        {"max_vocabulary": 100_001},
        {"clip_share": 0.2},
        {"clip_share": 1e-9},
        {"max_correlation": 1.5},
    ],
)
def test_impossible_knobs_name_their_bound(knob):
    with pytest.raises(ValueError, match=f"{next(iter(knob))}.* must hold"):
        TransformConfig(**knob)

"""Labels as the model counts them, and rows that cannot be judged."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from components.common.artifacts import ModelRecord
from components.common.errors import BadInputError
from components.evaluation.read import encode_labels, read_rows


def record_of(task, classes=()):
    return ModelRecord(
        task=task, label="y", classes=list(classes), trial=0, hyperparameters={}, validation={}, digests={}
    )


@pytest.mark.parametrize(
    ("values", "classes"),
    [([0, 1, None], ["0", "1"]), ([0.0, 1.0, math.nan], ["0", "1"]), (["no", "yes", None], ["no", "yes"])],
)
def test_labels_of_any_type_become_class_indices(values, classes):
    labels, unknown = encode_labels(pa.chunked_array([values]), record_of("binary", classes))
    assert labels[:2].tolist() == [0.0, 1.0]
    assert math.isnan(labels[2])
    assert unknown == {}


def test_a_class_that_no_training_row_had_is_counted_by_name():
    column = pa.chunked_array([["a", "z"], ["z", "b", None]])
    labels, unknown = encode_labels(column, record_of("multiclass", ["a", "b"]))
    assert labels[:4].tolist() == [0, -1, -1, 1]
    assert unknown == {"z": 2}


def test_regression_labels_keep_double_precision_and_minus_one_is_a_value():
    labels, unknown = encode_labels(pa.chunked_array([[16_777_217, -1, None]]), record_of("regression"))
    assert labels[:2].tolist() == [16_777_217.0, -1.0]
    assert math.isnan(labels[2])
    assert unknown == {}


def test_an_infinite_label_counts_as_missing():
    labels, _ = encode_labels(pa.chunked_array([[1.5, math.inf]]), record_of("regression"))
    assert math.isnan(labels[1])


def test_text_cannot_be_regressed():
    with pytest.raises(BadInputError, match="a regression needs numbers — label `y` — got 'ten'"):
        encode_labels(pa.chunked_array([["ten"]]), record_of("regression"))


def test_rows_without_a_label_are_left_out_and_counted(make_split):
    examples = make_split(pa.table({"y": ["a", None, "b", "z"], "x": [1.0, 2.0, None, 4.0]}))
    rows = read_rows(examples, "test", record_of("multiclass", ["a", "b"]), columns=["x", "not there"])
    assert rows.table.to_pydict() == {"y": ["a", "b"], "x": [1.0, None]}
    assert (rows.labels.tolist(), rows.unlabelled, rows.unknown) == ([0, 1], 1, {"z": 1})


@pytest.mark.parametrize(
    ("table", "slices", "message"),
    [
        ({"x": [1.0]}, [], "unknown key `y` — label"),
        ({"y": ["a"], "carrier": ["AA"]}, ["carier"], "slices — did you mean `carrier`"),
        ({"y": ["z", "z"]}, [], "no row of the test split has a label"),
        ({"y": pa.array([None, None], pa.string())}, [], "no row of the test split has a label"),
    ],
)
def test_what_cannot_be_judged_is_named(make_split, table, slices, message):
    with pytest.raises(BadInputError, match=message):
        read_rows(
            make_split(pa.table(table)),
            "test",
            record_of("binary", ["a", "b"]),
            columns=[],
            required=slices,
        )


def test_a_file_that_is_not_parquet_is_named(tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "part-00000.parquet").write_text("a,b\n")
    with pytest.raises(BadInputError, match="not readable as Parquet"):
        read_rows(tmp_path, "test", record_of("regression"), columns=[])

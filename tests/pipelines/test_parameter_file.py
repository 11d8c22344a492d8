"""The text that `millrace init` writes, from what the rooms found."""

import pytest

from components.common.artifacts import Snapshot, TransformSummary
from components.common.errors import BadInputError
from pipelines.build import read_yaml
from pipelines.first_look import model_name, read_source_arguments
from pipelines.parameter_file import Look, write_parameters
from pipelines.room_parameters import check_room_parameters


def metrics(name, value, low, high):
    return {"who": "gradient boosting", "metrics": {name: {"value": value, "low": low, "high": high}}}


def look(task="regression", reference=None, constant=None, **more):
    given = {
        "sources": {"data": "houses-*.csv"},
        "label": "price",
        "query": None,
        "model_name": "price",
        "snapshot": Snapshot(
            version="ab" * 32,
            sources={},
            query=None,
            split={"by": "hash", "key": None, "fractions": {"train": 0.8, "eval": 0.1, "test": 0.1}},
            rows={"train": 800, "eval": 100, "test": 100},
            columns={"house": "string", "quarter": "string", "area": "float", "price": "float"},
        ),
        "transform": TransformSummary(
            task=task,
            label="price",
            classes=[],
            inputs={"quarter": "string", "area": "float"},
            features=[
                {"name": "quarter.index", "column": "quarter", "encoding": "index", "size": 5},
                {"name": "area.number", "column": "area", "encoding": "number", "size": 1},
            ],
            dropped={"house": "looks like an identifier"},
        ),
        "comparisons": {
            name: one for name, one in (("reference", reference), ("constant", constant)) if one
        },
    }
    return Look(**{**given, **more})


@pytest.mark.parametrize(
    ("task", "reference", "constant", "threshold"),
    [
        # Half of the way between a constant and the worse end of the reference, by hand.
        ("binary", metrics("auc", 0.8, 0.78, 0.82), metrics("auc", 0.5, 0.5, 0.5), {"auc": {"min": 0.64}}),
        ("regression", metrics("r2", 0.9, 0.8, 1.0), metrics("r2", 0, 0, 0), {"r2": {"min": 0.4}}),
        (
            "multiclass",
            metrics("log_loss", 0.5, 0.4, 0.6),
            metrics("log_loss", 1.0, 0.9, 1.1),
            {"log_loss": {"max": 0.8}},
        ),
        ("binary", metrics("auc", 0.52, 0.48, 0.56), None, {}),
        ("binary", {"who": "gradient boosting", "obstacle": "there is no reference: too few"}, None, {}),
        ("regression", None, None, {}),
    ],
)
def test_thresholds_lie_half_of_the_way_to_the_reference(task, reference, constant, threshold):
    found = read_yaml(write_parameters(look(task, reference, constant), "f.yaml"))
    assert found["thresholds"] == threshold
    check_room_parameters(found)


def test_the_file_says_what_becomes_of_each_column_and_why():
    text = write_parameters(look(), "f.yaml")
    assert "#   house    string  left out: looks like an identifier\n" in text
    assert "#   quarter  string  quarter.index (of 5)\n" in text
    assert "#   area     float   area.number\n" in text
    assert "price " not in text.split("The columns")[1].split("features:")[0]  # the label is no feature
    assert "millrace run training --params f.yaml" in text


def test_the_file_holds_what_was_asked_for_and_what_was_found():
    found = read_yaml(write_parameters(look(query="SELECT 1 AS a\nFROM data"), "f.yaml"))
    assert found["sources"] == {"data": "houses-*.csv"}
    assert (found["label"], found["task"]) == ("price", "regression")
    assert found["query"] == "SELECT 1 AS a\nFROM data"
    assert found["split"] == {"by": "hash", "fractions": {"train": 0.8, "eval": 0.1, "test": 0.1}}


def test_no_name_in_the_data_can_end_a_comment_or_change_a_value():
    columns = {"a\nlabel: stolen": "float", "# x: {": "float", "price": "float"}
    hostile = look(
        snapshot=Snapshot(
            version="ab", sources={}, query=None, split={"by": "hash"}, rows={"train": 1}, columns=columns
        ),
        sources={"data": "a: {b}\n- *c"},
    )
    found = read_yaml(write_parameters(hostile, "f.yaml"))
    assert found["label"] == "price"
    assert found["sources"] == {"data": "a: {b}\n- *c"}


def test_sources_are_uris_of_one_table_or_named():
    assert read_source_arguments(["a.csv"]) == {"data": "a.csv"}
    assert read_source_arguments(["a.csv", "b.csv"]) == {"data": ["a.csv", "b.csv"]}
    assert read_source_arguments(["a=x.csv", "b=s3://y/z=1"]) == {"a": "x.csv", "b": "s3://y/z=1"}
    assert read_source_arguments(["/data/day=3/x.csv"]) == {"data": "/data/day=3/x.csv"}
    for bad in (["a=x.csv", "y.csv"], ["a=x.csv", "a=y.csv"]):
        with pytest.raises(BadInputError, match="cannot be told apart"):
            read_source_arguments(bad)


@pytest.mark.parametrize(("label", "name"), [("Price €", "price"), ("is_late", "is-late"), ("价", "model")])
def test_a_model_name_can_be_made_of_any_label(label, name):
    assert model_name(label) == name

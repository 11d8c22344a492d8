"""Personal columns: a canary in their values is in nothing that evaluation writes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.common.artifacts import split_files
from components.common.errors import BadInputError
from components.common.golden import find_difference, golden_columns, read_golden_requests
from components.common.schemas import personal_columns, read_features
from components.evaluation.predict import load_model

SCHEMA = 'feature { name: "distance" }\nfeature { name: "carrier" annotation { tag: "personal" } }\n'
CANARY = "canary-7f3a"


@pytest.fixture
def world(make_world):
    world = make_world()
    table = pa.concat_tables([pq.read_table(file) for file in split_files(world.examples, "test")])
    carriers = [f"{CANARY}-{number % 3}" for number in range(table.num_rows)]
    world.set_table(table.set_column(1, "carrier", pa.array(carriers)))
    (world.model / "schema.pbtxt").write_text(SCHEMA)
    return world


def test_the_tag_in_the_schema_is_read(world):
    assert personal_columns(read_features(world.model)) == {"carrier"}


def test_no_value_of_a_personal_column_is_written(world):
    world.run()
    files = [file for file in world.out.rglob("*") if file.is_file()]
    assert len(files) > 8
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []
    assert "carrier" in (world.out / "evaluated_model" / "model_card.md").read_text()


def test_golden_requests_hold_made_up_values_and_the_answers_to_them(world):
    world.run()
    golden = read_golden_requests(world.out / "golden_requests")
    assert {row["inputs"]["carrier"] for row in golden} == {"__unseen__"}
    model = load_model(world.out / "evaluated_model")
    answers = model.answer(golden_columns(golden, model.inputs), batch_size=8)
    assert find_difference(golden, {"probability": answers.tolist()}) is None


@pytest.mark.parametrize(
    ("slices", "thresholds"),
    [
        (["carrier"], {}),
        ([["month", "carrier"]], {}),
        ([], {"slices": {"carrier": {"auc": {"min": 0.5}}}}),
        ([], {"groups": {"carrier": {"recall": {"max_difference": 0.1}}}}),
    ],
)
def test_slices_of_a_personal_column_are_refused_before_anything_is_written(world, slices, thresholds):
    world.slices, world.thresholds = slices, thresholds
    with pytest.raises(BadInputError, match="`carrier` is personal: its values may not be published"):
        world.run()
    assert not world.out.exists()


def test_a_schema_that_is_none_is_named(world):
    (world.model / "schema.pbtxt").write_text("feature {")
    with pytest.raises(BadInputError, match="not a schema"):
        world.run()

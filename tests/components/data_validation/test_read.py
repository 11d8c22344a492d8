import json
import shutil

import pyarrow.parquet as pq
import pytest

from components.common.errors import BadInputError


def damaged(workshop, damage):
    batch = workshop.write(workshop.splits())
    damage(batch)
    return batch


def edit_snapshot(batch, change):
    file = batch / "snapshot" / "snapshot.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


DAMAGE = {
    "split missing": (
        lambda batch: shutil.rmtree(batch / "examples" / "eval"),
        "split `eval` has no Parquet file",
    ),
    "not Parquet": (
        lambda batch: (batch / "examples/test/part-00000.parquet").write_bytes(b"nonsense"),
        "not readable as Parquet.*part-00000.parquet",
    ),
    "empty file": (
        lambda batch: (batch / "examples/test/part-00000.parquet").write_bytes(b""),
        "not readable as Parquet",
    ),
    "rows lost": (
        lambda batch: edit_snapshot(batch, lambda each: each["rows"].update(train=401)),
        "split `train` has 400 rows and the snapshot says 401",
    ),
    "columns in another order": (
        lambda batch: edit_snapshot(
            batch, lambda each: each.update(columns=dict(reversed(each["columns"].items())))
        ),
        "columns are not the snapshot's",
    ),
    "stored as another type": (
        lambda batch: edit_snapshot(batch, lambda each: each["columns"].update(seats="float")),
        "column `seats` of kind float must be stored as double — .* — got 'int64'",
    ),
    "snapshot missing": (
        lambda batch: (batch / "snapshot" / "snapshot.json").unlink(),
        "file is missing — .*snapshot.json",
    ),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_broken_input_is_a_named_error_and_nothing_is_written(workshop, tmp_path, damage, message):
    batch = damaged(workshop, damage)
    with pytest.raises(BadInputError, match=message):
        workshop.validate(batch)
    assert not list(tmp_path.glob("outcome-*"))


BASELINES = {
    "no schema": (lambda model: (model / "schema.pbtxt").unlink(), "not readable as a schema"),
    "corrupt schema": (
        lambda model: (model / "schema.pbtxt").write_text("feature {"),
        "not readable as a schema.*schema.pbtxt",
    ),
    "empty schema": (lambda model: (model / "schema.pbtxt").write_text(""), "the schema has no feature"),
    "corrupt statistics": (
        lambda model: (model / "statistics.pb").write_bytes(b"\xff\xff"),
        "not readable as statistics.*statistics.pb",
    ),
    "empty statistics": (
        lambda model: (model / "statistics.pb").write_bytes(b""),
        "the statistics have no train split",
    ),
    "no record": (lambda model: (model / "model.json").unlink(), "file is missing — .*model.json"),
}


@pytest.mark.parametrize(("damage", "message"), BASELINES.values(), ids=BASELINES)
def test_a_broken_baseline_is_never_taken_for_no_baseline(workshop, damage, message):
    baseline = workshop.baseline_of(workshop.splits())
    damage(baseline)
    with pytest.raises(BadInputError, match=message):
        workshop.validate(workshop.write(workshop.splits(1)), baseline)


def test_several_files_of_a_split_are_read_in_order(workshop):
    batch = workshop.write(workshop.splits())
    whole = workshop.validate(batch)
    train = batch / "examples" / "train"
    table = pq.read_table(train / "part-00000.parquet")
    pq.write_table(table.slice(0, 150), train / "part-00000.parquet")
    pq.write_table(table.slice(150), train / "part-00001.parquet")
    pieces = workshop.validate(batch)
    assert pieces.validation.batch.statistics == whole.validation.batch.statistics

"""Canaries: what a personal column holds must not be found in any byte that this room writes."""

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.common.errors import BadInputError

CANARY, NUMBER, DAY = "Zaphod-Beeblebrox", 7_777_123, "1977-07-17"
KINDS = {"name": "string", "salary": "integer", "bonus": "float", "born": "date"}
PERSONAL = {name: {"personal": True} for name in KINDS}


def with_persons(workshop, seed=0):
    splits = workshop.splits(seed)
    for split, columns in splits.items():
        rows = workshop.rows[split]
        columns["name"] = [CANARY if at % 2 else None for at in range(rows)]
        columns["salary"] = [NUMBER + at % 3 for at in range(rows)]
        columns["bonus"] = [NUMBER + 0.5 if at % 3 else float("nan") for at in range(rows)]
        columns["born"] = [DAY] * rows
    return splits, {**workshop.kinds, **KINDS}


def leaked(folder):
    texts = (CANARY, "7777123", "7,777,123", "7777124", "7777125", "7.777e+06", DAY)
    needles = [text.encode() for text in texts]
    found = [NUMBER, NUMBER + 0.5, NUMBER + 1, NUMBER + 2]
    numbers = statistics_pb2.NumericStatistics
    needles += [numbers(min=float(each)).SerializeToString()[1:] for each in found]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert len(files) >= 6
    return [(file.name, needle) for file in files for needle in needles if needle in file.read_bytes()]


def test_the_canaries_would_be_found(workshop):
    splits, kinds = with_persons(workshop)
    outcome = workshop.validate(workshop.write(splits, kinds))
    assert {name for name, _ in leaked(outcome.folder)} >= {"statistics.pb", "schema.pbtxt", "report.html"}


def test_no_value_of_a_personal_column_is_written_on_a_first_run_or_later(workshop):
    splits, kinds = with_persons(workshop)
    first = workshop.validate(workshop.write(splits, kinds), columns=PERSONAL)
    assert first.verdict.passed, first.verdict
    assert leaked(first.folder) == []
    later, _ = with_persons(workshop, seed=1)
    second = workshop.validate(workshop.write(later, kinds), workshop.baseline(first))
    assert second.verdict.passed, second.verdict
    assert leaked(second.folder) == []  # the schema remembers


def test_no_value_is_written_when_the_baseline_still_has_it_and_every_rule_breaks(workshop):
    splits, kinds = with_persons(workshop)
    baseline = workshop.baseline_of(splits, kinds)
    later, _ = with_persons(workshop, seed=1)
    later["train"]["salary"][3] = None
    asked = {
        "name": {"personal": True, "domain": ["Ford"], "required": True, "unique": True},
        "salary": {"personal": True, "max": 100, "unique": True, "required": True},
        "bonus": {"personal": True, "max": 100, "required": True},
        "born": {"personal": True, "max": "1970-01-01"},
    }
    checks = {
        "counts": "select count(*) from examples where salary > 100 and name is not null",
        "values": "select max(salary) from train",
    }
    outcome = workshop.validate(workshop.write(later, kinds), baseline, columns=asked, checks=checks)
    broken = {rule for rule, _ in outcome.found()}
    assert broken == {"outside_domain", "required_missing", "not_unique", "out_of_range", "check_failed"}
    assert leaked(outcome.folder) == []


def test_a_personal_label_is_told_since_a_model_must_hold_its_classes(workshop):
    outcome = workshop.validate(
        workshop.write(workshop.splits()), label="carrier", columns={"carrier": {"personal": True}}
    )
    assert outcome.verdict.passed
    assert outcome.found("warning") == {("label_personal", "carrier")}


def test_a_personal_label_is_counted_only(workshop):
    splits, kinds = with_persons(workshop)
    batch = workshop.write(splits, kinds)
    outcome = workshop.validate(batch, label="salary", columns=PERSONAL, max_imbalance=1.001)
    assert leaked(outcome.folder) == []


def test_counts_of_a_personal_column_are_kept(workshop):
    splits, kinds = with_persons(workshop)
    outcome = workshop.validate(workshop.write(splits, kinds), columns=PERSONAL)
    content = (outcome.folder / "statistics" / "statistics.pb").read_bytes()
    [train, *_] = statistics_pb2.DatasetFeatureStatisticsList.FromString(content).datasets
    features = {each.path.step[0]: each for each in train.features}
    assert features["name"].string_stats.common_stats.num_missing == 200
    assert features["name"].string_stats.unique == 1
    assert features["bonus"].num_stats.histograms[0].num_nan == 134
    assert "missing" in (outcome.folder / "report.html").read_text()


def test_the_schema_tells_other_rooms_which_columns_are_personal(workshop):
    splits, kinds = with_persons(workshop)
    outcome = workshop.validate(workshop.write(splits, kinds), columns=PERSONAL)
    text = (outcome.folder / "schema" / "schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    assert {each.name for each in schema.feature if "personal" in each.annotation.tag} == set(KINDS)
    baseline = workshop.baseline(outcome)
    denied = {"salary": {"personal": False, "severities": {"drift": "off"}}}
    later = workshop.validate(workshop.write(splits, kinds), baseline, columns=denied)
    again = {each.name for each in later.validation.schema.feature if "personal" in each.annotation.tag}
    assert again == set(KINDS) - {"salary"}


def test_a_check_that_fails_on_a_value_does_not_tell_it(workshop):
    splits, kinds = with_persons(workshop)
    checks = {"cast": "select count(*) from train where name::int > 3"}
    with pytest.raises(BadInputError, match="ConversionException") as caught:
        workshop.validate(workshop.write(splits, kinds), columns=PERSONAL, checks=checks)
    assert CANARY not in str(caught.value)

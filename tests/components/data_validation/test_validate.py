import json

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.common.artifacts import read_verdict
from components.common.errors import BadInputError
from components.data_validation.infer import kind_of


def spoil(splits, column, change, only=("train", "eval", "test")):
    """Change every value of a column, by position, in some splits."""
    for split in only:
        splits[split][column] = [change(at, value) for at, value in enumerate(splits[split][column])]
    return splits


def drop(splits, column):
    return {split: {n: v for n, v in columns.items() if n != column} for split, columns in splits.items()}


def cut(splits, rows, only=("train", "eval", "test")):
    return {
        split: {n: v[:rows] if split in only else v for n, v in columns.items()}
        for split, columns in splits.items()
    }


def test_a_clean_first_batch_passes_and_says_that_there_was_no_baseline(workshop):
    outcome = workshop.validate(workshop.write(workshop.splits()))
    assert outcome.verdict.passed
    assert outcome.verdict.outcome == "clean (no baseline yet)"
    assert outcome.verdict.reasons == []
    assert read_verdict(outcome.folder / "anomalies") == outcome.verdict


def test_the_same_batch_against_its_own_baseline_is_clean_and_at_distance_zero(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    outcome = workshop.validate(workshop.write(workshop.splits()), baseline)
    assert outcome.verdict.outcome == "clean"
    assert {each.value for each in outcome.validation.drift.values()} == {0.0}


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_normal_next_batch_passes(workshop, seed):
    baseline = workshop.baseline_of(workshop.splits())
    outcome = workshop.validate(workshop.write(workshop.splits(seed)), baseline)
    assert outcome.verdict.passed, outcome.verdict


FAULTS = {
    "null label": (
        ("label_null", "is_late"),
        lambda s: spoil(s, "is_late", lambda at, v: None if at == 3 else v),
    ),
    "one class": (("label_constant", "is_late"), lambda s: spoil(s, "is_late", lambda at, v: 1)),
    "emptied column": (("column_emptied", "seats"), lambda s: spoil(s, "seats", lambda at, v: None)),
    "column of NaN": (("column_emptied", "distance"), lambda s: spoil(s, "distance", lambda at, v: np.nan)),
    "one infinity": (
        ("infinite_values", "distance"),
        lambda s: spoil(s, "distance", lambda at, v: np.inf if at == 9 else v),
    ),
    "miles to metres": (("drift", "distance"), lambda s: spoil(s, "distance", lambda at, v: 1609 * v)),
    "carrier outage": (
        ("drift", "carrier"),
        lambda s: spoil(s, "carrier", lambda at, v: "AA" if v == "B6" else v),
    ),
    "half of the values lost": (
        ("missing_rose", "seats"),
        lambda s: spoil(s, "seats", lambda at, v: None if at % 2 else v),
    ),
    "boolean of three values": (
        ("schema_anomaly", "is_late"),
        lambda s: spoil(s, "is_late", lambda at, v: 2 if at == 5 else v),
    ),
    "few rows": (("too_few_rows", None), lambda s: cut(s, 5, only=("test",))),
    "a split without rows": (("too_few_rows", None), lambda s: cut(s, 0, only=("eval",))),
    "most rows lost": (("row_count_fell", None), lambda s: cut(s, 60)),
}


@pytest.mark.parametrize(("expected", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_stops_the_run_with_the_right_column_named(workshop, expected, fault):
    baseline = workshop.baseline_of(workshop.splits())
    outcome = workshop.validate(workshop.write(fault(workshop.splits(1))), baseline)
    assert not outcome.verdict.passed
    assert outcome.verdict.outcome == "anomalous"
    assert expected in outcome.found()
    assert {feature for _, feature in outcome.found()} == {expected[1]}
    assert expected[1] is None or f"`{expected[1]}`" in outcome.verdict.reasons[0]


def test_a_vanished_column_is_said_in_one_plain_line(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    kinds = {name: kind for name, kind in workshop.kinds.items() if name != "carrier"}
    outcome = workshop.validate(workshop.write(drop(workshop.splits(1), "carrier"), kinds), baseline)
    assert outcome.found() == {("column_vanished", "carrier")}
    assert outcome.verdict.reasons == ["column `carrier` vanished — expected by the baseline's schema"]


def test_a_renamed_column_is_one_that_vanished_and_one_that_is_new(workshop):
    kinds = {("airline" if n == "carrier" else n): kind for n, kind in workshop.kinds.items()}
    renamed = {
        split: {("airline" if n == "carrier" else n): v for n, v in columns.items()}
        for split, columns in workshop.splits(1).items()
    }
    outcome = workshop.validate(workshop.write(renamed, kinds), workshop.baseline_of(workshop.splits()))
    assert outcome.found() == {("column_vanished", "carrier"), ("column_new", "airline")}


@pytest.mark.parametrize(
    ("column", "kind", "change"),
    [
        ("seats", "string", lambda at, v: str(v)),
        ("seats", "float", lambda at, v: float(v)),
        ("day", "string", lambda at, v: f"{v}T00:00"),
        ("is_late", "integer", lambda at, v: v),
    ],
)
def test_a_column_of_another_kind_is_named_with_both_kinds(workshop, column, kind, change):
    changed = workshop.write(spoil(workshop.splits(1), column, change), {**workshop.kinds, column: kind})
    outcome = workshop.validate(changed, workshop.baseline_of(workshop.splits()))
    assert outcome.found() == {("type_changed", column)}
    assert f"changed its type from {workshop.kinds[column]} to {kind}" in outcome.verdict.reasons[0]


@pytest.mark.parametrize("first_run", [True, False])
def test_a_label_that_never_was_a_column_is_the_callers_mistake(workshop, first_run):
    baseline = None if first_run else workshop.baseline_of(workshop.splits())
    with pytest.raises(BadInputError, match=r"`label` — got 'is_lat' — did you mean `is_late`\?"):
        workshop.validate(workshop.write(workshop.splits()), baseline, label="is_lat")


def test_a_label_that_the_baseline_knows_and_the_batch_lacks_is_a_verdict(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    kinds = {name: kind for name, kind in workshop.kinds.items() if name != "is_late"}
    outcome = workshop.validate(workshop.write(drop(workshop.splits(1), "is_late"), kinds), baseline)
    assert outcome.found() == {("label_missing", "is_late")}
    [reason] = outcome.verdict.reasons
    assert reason == "label column `is_late` vanished — expected by the baseline's schema"


WARNINGS = {
    "unseen category": (
        ("unseen_value", "carrier"),
        lambda s: spoil(s, "carrier", lambda at, v: "ZZ" if at == 7 else v),
    ),
    "one NaN": (
        ("nan_values", "distance"),
        lambda s: spoil(s, "distance", lambda at, v: np.nan if at == 7 else v, only=("eval",)),
    ),
    "first missing values": (
        ("missing_values", "seats"),
        lambda s: spoil(s, "seats", lambda at, v: None if at == 7 else v),
    ),
    "one class in test": (
        ("label_one_class", "is_late"),
        lambda s: spoil(s, "is_late", lambda at, v: 0, only=("test",)),
    ),
    "skewed split": (
        ("skew", "distance"),
        lambda s: spoil(s, "distance", lambda at, v: 9 * v, only=("eval",)),
    ),
}


@pytest.mark.parametrize(("expected", "change"), WARNINGS.values(), ids=WARNINGS)
def test_what_is_only_noticed_passes_with_a_reason(workshop, expected, change):
    baseline = workshop.baseline_of(workshop.splits())
    outcome = workshop.validate(workshop.write(change(workshop.splits(1))), baseline)
    assert outcome.verdict.passed, outcome.verdict
    assert expected in outcome.found("warning")
    assert any(f"`{expected[1]}`" in reason for reason in outcome.verdict.reasons)


def test_dates_move_on_without_drifting(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    later = spoil(workshop.splits(1), "day", lambda at, v: v.replace("2013-01", "2019-07"))
    assert workshop.validate(workshop.write(later), baseline).verdict.passed


def test_a_rule_can_be_lowered_and_its_change_is_then_taken_into_the_schema(workshop):
    kinds = {**workshop.kinds, "gate": "string"}
    grown = workshop.splits(1)
    for split, columns in grown.items():
        columns["gate"] = ["A", "B"] * (workshop.rows[split] // 2)
    baseline, batch = workshop.baseline_of(workshop.splits()), workshop.write(grown, kinds)
    assert workshop.validate(batch, baseline).found() == {("column_new", "gate")}
    allowed = workshop.validate(batch, baseline, severities={"column_new": "warning"})
    assert allowed.verdict.passed
    assert [each.name for each in schema_of(allowed).feature] == list(kinds)


def test_may_drift_leaves_a_column_alone(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    batch = workshop.write(spoil(workshop.splits(1), "distance", lambda at, v: 1609 * v))
    assert workshop.validate(batch, baseline, columns={"distance": {"may_drift": True}}).verdict.passed


def test_an_unknown_column_in_the_policy_is_an_error_with_a_suggestion(workshop):
    expected = r"unknown column — .*validation.columns` — got 'distanc' — did you mean `distance`\?"
    with pytest.raises(BadInputError, match=expected):
        workshop.validate(workshop.write(workshop.splits()), columns={"distanc": {"min": 0}})


def schema_of(outcome):
    text = (outcome.folder / "schema" / "schema.pbtxt").read_text()
    return text_format.Parse(text, schema_pb2.Schema())


def test_the_first_schema_carries_order_kinds_presence_and_known_values(workshop):
    splits = spoil(workshop.splits(), "seats", lambda at, v: None if at == 4 else v, only=("eval",))
    schema = schema_of(workshop.validate(workshop.write(splits)))
    features = {each.name: each for each in schema.feature}
    assert list(features) == list(workshop.kinds)
    types = [schema_pb2.FeatureType.Name(each.type) for each in schema.feature]
    assert types == ["BYTES", "FLOAT", "INT", "BYTES", "INT"]
    assert features["is_late"].HasField("bool_domain")
    assert not features["seats"].HasField("bool_domain")
    assert features["day"].time_domain.string_format == "%Y-%m-%d"
    assert {name for name, each in features.items() if each.presence.min_fraction != 1} == {"seats"}
    assert [(each.name, list(each.value)) for each in schema.string_domain] == [
        ("carrier", ["AA", "B6", "UA"])
    ]


def test_integers_of_zero_and_one_stay_integers(workshop):
    outcome = workshop.validate(workshop.write(workshop.splits(), {**workshop.kinds, "is_late": "integer"}))
    assert not schema_of(outcome).feature[-1].HasField("bool_domain")


def test_timestamps_carry_their_format(workshop):
    splits = spoil(workshop.splits(), "day", lambda at, v: f"{v}T10:00:00")
    outcome = workshop.validate(workshop.write(splits, {**workshop.kinds, "day": "timestamp"}))
    assert schema_of(outcome).feature[3].time_domain.string_format == "%Y-%m-%dT%H:%M:%S"
    assert outcome.verdict.passed


def test_unseen_values_that_passed_are_known_to_the_next_batch(workshop):
    unseen = spoil(workshop.splits(1), "carrier", lambda at, v: "ZZ" if at == 7 else v)
    first = workshop.validate(workshop.write(unseen), workshop.baseline_of(workshop.splits()))
    assert list(schema_of(first).string_domain[0].value) == ["AA", "B6", "UA", "ZZ"]
    second = workshop.validate(workshop.write(unseen), workshop.baseline(first))
    assert second.verdict.reasons == []


def test_a_refused_batch_leaves_the_baselines_schema(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    spoilt = spoil(workshop.splits(1), "seats", lambda at, v: None)
    outcome = workshop.validate(workshop.write(spoilt), baseline)
    written = (outcome.folder / "schema" / "schema.pbtxt").read_bytes()
    assert written == (baseline / "schema.pbtxt").read_bytes()


def test_a_constraint_that_people_wrote_into_the_schema_is_held_and_kept(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    file = baseline / "schema.pbtxt"
    schema = text_format.Parse(file.read_text(), schema_pb2.Schema())
    schema.feature[2].int_domain.max = 399
    file.write_text(text_format.MessageToString(schema))
    good = workshop.validate(workshop.write(workshop.splits(1)), baseline)
    assert good.verdict.passed
    assert schema_of(good).feature[2].int_domain.max == 399
    over = spoil(workshop.splits(1), "seats", lambda at, v: 4000 if at == 2 else v)
    assert workshop.validate(workshop.write(over), baseline).found() == {("schema_anomaly", "seats")}


def test_files_on_disk_agree_with_the_outcome(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    batch = workshop.write(spoil(workshop.splits(1), "distance", lambda at, v: 1609 * v))
    outcome = workshop.validate(batch, baseline)
    [line] = json.loads((outcome.folder / "anomalies" / "anomalies.json").read_text())["findings"]
    assert list(line) == ["rule", "feature", "split", "severity", "value", "threshold", "message",
                          "example"]  # fmt: skip
    assert (line["rule"], line["feature"], line["severity"]) == ("drift", "distance", "error")
    assert line["value"] > line["threshold"]
    text = (outcome.folder / "anomalies" / "anomalies.pbtxt").read_text()
    drift = text_format.Parse(text, anomalies_pb2.Anomalies()).drift_skew_info
    measured = {each.path.step[0]: each.drift_measurements[0].value for each in drift}
    assert measured["distance"] == line["value"]
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    statistics.ParseFromString((outcome.folder / "statistics" / "statistics.pb").read_bytes())
    assert {each.name: each.num_examples for each in statistics.datasets} == workshop.rows


def test_a_column_that_is_empty_everywhere_is_told_once(workshop):
    splits = spoil(workshop.splits(), "distance", lambda at, v: np.nan)
    outcome = workshop.validate(workshop.write(splits))
    assert [each.rule for each, _ in outcome.validation.findings] == ["column_empty"]


def test_a_column_that_always_was_empty_is_only_noticed(workshop):
    def empty(seed):
        return spoil(workshop.splits(seed), "distance", lambda at, v: np.nan)

    first = workshop.validate(workshop.write(empty(0)))
    second = workshop.validate(workshop.write(empty(1)), workshop.baseline(first))
    for outcome in (first, second):
        assert outcome.verdict.passed
        assert outcome.found("warning") == {("column_empty", "distance")}
        assert '`SELECT * EXCLUDE ("distance")`' in outcome.verdict.reasons[0]


@pytest.mark.parametrize("before", ["string", "float"])
def test_a_column_that_was_empty_before_is_of_the_kind_that_it_has_now(workshop, before):
    empty = spoil(workshop.splits(), "seats", lambda at, v: None)
    first = workshop.validate(workshop.write(empty, {**workshop.kinds, "seats": before}))
    baseline = workshop.baseline(first)
    second = workshop.validate(workshop.write(workshop.splits(1)), baseline)
    assert second.verdict.passed, second.verdict
    assert second.found("warning") == {("column_filled", "seats")}
    assert {f.name: kind_of(f) for f in second.validation.schema.feature} == workshop.kinds
    still = workshop.validate(
        workshop.write(spoil(workshop.splits(1), "seats", lambda at, v: None)), baseline
    )
    assert still.found("warning") == {("column_empty", "seats")}


def test_reasons_of_a_refusal_are_errors_alone_and_warnings_stay_among_the_findings(workshop):
    splits = spoil(workshop.splits(), "distance", lambda at, v: np.nan)
    outcome = workshop.validate(
        workshop.write(spoil(splits, "is_late", lambda at, v: None if at == 3 else v, only=("eval",)))
    )
    assert outcome.verdict.reasons == [
        'label `is_late` is missing in 1 of 100 eval rows — add `WHERE "is_late" IS NOT NULL` to the query'
    ]
    assert outcome.found("warning") == {("column_empty", "distance")}


def test_too_few_rows_name_the_knobs(workshop):
    [reason] = workshop.validate(workshop.write(cut(workshop.splits(), 5, only=("test",)))).verdict.reasons
    assert reason.endswith("at least 10 needed: set `split.fractions` or `validation.min_rows`")


def test_long_repeated_text_is_listed_whole(workshop):
    splits = spoil(workshop.splits(), "carrier", lambda at, v: v * 150)
    schema = schema_of(workshop.validate(workshop.write(splits)))
    assert list(schema.string_domain[0].value) == ["AA" * 150, "B6" * 150, "UA" * 150]

import pytest

from components.common.errors import BadInputError


def edit(splits, column, at, value, split="train"):
    splits[split][column][at] = value
    return splits


def validate(workshop, splits, **columns):
    return workshop.validate(workshop.write(splits), columns=columns)


def only(outcome, severity="error"):
    [finding] = [each for each, grave in outcome.validation.findings if grave == severity]
    return finding


def test_what_the_policy_allows_passes(workshop):
    outcome = validate(
        workshop, workshop.splits(),
        distance={"min": 0, "required": True}, seats={"min": 20, "max": 399},
        carrier={"domain": ["AA", "B6", "UA", "DL"]}, day={"min": "2013-01-01", "max": "2013-01-31"},
    )  # fmt: skip
    assert outcome.verdict.reasons == []


def test_a_value_out_of_range_is_found_in_any_split_and_shown(workshop):
    splits = edit(edit(workshop.splits(), "distance", 7, -5.0), "distance", 3, -9.5, split="test")
    finding = only(validate(workshop, splits, distance={"min": 0}))
    assert (finding.rule, finding.feature, finding.value, finding.threshold) == (
        "out_of_range", "distance", -9.5, 0
    )  # fmt: skip
    assert "in 2 of 600 rows (1 train, 1 test), as far as -9.5" in finding.message
    assert finding.example.startswith("train row 8: distance=-5, carrier=")


def test_dates_have_a_range_too(workshop):
    finding = only(validate(workshop, workshop.splits(), day={"max": "2013-01-30"}))
    assert (finding.rule, finding.value, finding.threshold) == ("out_of_range", "2013-01-31", "2013-01-30")


def test_missing_and_infinite_values_are_not_out_of_range(workshop):
    splits = edit(edit(workshop.splits(), "distance", 1, None), "distance", 2, float("inf"))
    assert only(validate(workshop, splits, distance={"max": 9e9})).rule == "infinite_values"


@pytest.mark.parametrize(("column", "domain"), [("carrier", ["AA", "UA"]), ("is_late", [1])])
def test_a_value_outside_the_listed_ones_is_an_error(workshop, column, domain):
    splits = workshop.splits()
    wrong = sum(v not in domain for columns in splits.values() for v in columns[column])
    finding = only(validate(workshop, splits, **{column: {"domain": domain}}))
    assert (finding.rule, finding.feature, finding.value) == ("outside_domain", column, wrong)


def test_a_listed_domain_is_written_into_the_schema(workshop):
    outcome = validate(workshop, workshop.splits(), carrier={"domain": ["AA", "B6", "DL", "UA"]})
    [domain] = outcome.validation.schema.string_domain
    assert list(domain.value) == ["AA", "B6", "DL", "UA"]


def test_a_required_value_that_is_missing_is_an_error_with_the_row(workshop):
    splits = edit(workshop.splits(), "seats", 4, None, split="eval")
    finding = only(validate(workshop, splits, seats={"required": True}))
    assert (finding.rule, finding.value, finding.threshold) == ("required_missing", 1, 0)
    assert finding.example.startswith("eval row 5: seats=missing")


def test_unique_means_unique_over_all_splits(workshop):
    splits, kinds, ids = workshop.splits(), {**workshop.kinds, "key": "integer"}, iter(range(1000))
    for columns in splits.values():
        columns["key"] = [next(ids) for _ in columns["seats"]]
    asked = {"key": {"unique": True}}
    assert workshop.validate(workshop.write(splits, kinds), columns=asked).verdict.passed
    splits["test"]["key"][0] = splits["train"]["key"][5]
    finding = only(workshop.validate(workshop.write(splits, kinds), columns=asked))
    assert (finding.rule, finding.value) == ("not_unique", 1)
    assert finding.example.startswith("train row 6: key=5")


def test_a_columns_severity_is_its_own(workshop):
    splits = edit(edit(workshop.splits(), "distance", 7, -5.0), "seats", 7, -5)
    asked = {"min": 0, "severities": {"out_of_range": "warning"}}
    outcome = validate(workshop, splits, distance=asked, seats={"min": 0})
    assert outcome.found() == {("out_of_range", "seats")}
    assert outcome.found("warning") == {("out_of_range", "distance")}


@pytest.mark.parametrize(
    ("column", "asked", "value"),
    [("carrier", {"min": 1}, 1), ("seats", {"max": "2013-01-05"}, "2013-01-05"), ("day", {"min": 3}, 3),
     ("carrier", {"domain": [1]}, 1), ("day", {"max": "2013-01-05T00:00:00"}, "2013-01-05T00:00:00"),
     ("day", {"domain": ["2013-1-5"]}, "2013-1-5")],
)  # fmt: skip
def test_a_bound_of_another_kind_than_the_column_is_the_callers_mistake(workshop, column, asked, value):
    with pytest.raises(
        BadInputError, match=rf"`validation.columns.{column}.* — got {value!r} — the column"
    ):
        validate(workshop, workshop.splits(), **{column: asked})


def test_too_many_texts_and_rare_classes_are_warnings(workshop):
    splits = workshop.splits()
    for columns in splits.values():
        columns["carrier"] = [f"N{at}" for at in range(len(columns["carrier"]))]
        columns["is_late"] = [int(at == 0) for at in range(len(columns["is_late"]))]
    outcome = workshop.validate(workshop.write(splits), max_distinct_values=300, max_imbalance=300)
    found = {each.rule: each for each, _ in outcome.validation.findings}
    assert outcome.found("warning") == {("many_values", "carrier"), ("label_imbalance", "is_late")}
    assert (found["many_values"].value, found["label_imbalance"].value) == (400, 399)


def test_a_value_that_vanished_is_an_error_and_a_rare_one_is_not(workshop):
    def with_rare(splits):
        for columns in splits.values():
            columns["carrier"] = ["XX" if at == 0 else v for at, v in enumerate(columns["carrier"])]
        return splits

    baseline = workshop.baseline_of(with_rare(workshop.splits()))
    splits = workshop.splits(1)  # XX, 1 of 400 rows, is gone
    assert workshop.validate(workshop.write(splits), baseline).verdict.passed
    for columns in splits.values():
        columns["carrier"] = ["B6" if v == "UA" else v for v in columns["carrier"]]
    outcome = workshop.validate(workshop.write(splits), baseline, max_drift=1)
    assert outcome.found() == {("value_vanished", "carrier")}

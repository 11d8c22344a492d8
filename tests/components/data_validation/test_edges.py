"""Batches at the edge of what can be: the room answers with a verdict, never with a traceback."""

import numpy as np
import pytest


def whole(workshop, change, label="is_late"):
    """Splits whose every column went through a change of (name, values)."""
    splits = workshop.splits(1)
    return {
        split: {name: v if name == label else change(name, v) for name, v in columns.items()}
        for split, columns in splits.items()
    }


def rows(splits, count):
    return {split: {n: v[:count] for n, v in columns.items()} for split, columns in splits.items()}


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("first_run", [True, False])
def test_a_batch_of_hardly_any_rows_is_refused(workshop, count, first_run):
    baseline = None if first_run else workshop.baseline_of(workshop.splits())
    outcome = workshop.validate(workshop.write(rows(workshop.splits(1), count)), baseline)
    rules = {rule for rule, _ in outcome.found()}
    assert "too_few_rows" in rules
    assert first_run or "row_count_fell" in rules


EXTREMES = {
    "all missing": lambda name, values: [None] * len(values),
    "every other missing": lambda name, values: [v if at % 2 else None for at, v in enumerate(values)],
    "one value": lambda name, values: [values[0]] * len(values),
    "infinite": lambda name, values: [np.inf] * len(values) if name == "distance" else values,
    "huge": lambda name, values: [
        {"distance": 1.7e308, "seats": 2**63 - 1}.get(name, v) for v in values[:-1]
    ] + [{"distance": -1.7e308, "seats": -(2**63) + 1}.get(name, values[-1])],
    "empty text": lambda name, values: [""] * len(values) if name == "carrier" else values,
    "long text": lambda name, values: [v * 5000 for v in values] if name == "carrier" else values,
    "odd text": lambda name, values: ["\t'\"`\n<b>" + v for v in values] if name == "carrier" else values,
    "other text": lambda name, values: [
        f"{v}{at}" if name == "carrier" else v for at, v in enumerate(values)
    ],
}  # fmt: skip


@pytest.mark.parametrize("change", EXTREMES.values(), ids=EXTREMES)
def test_extreme_columns_get_a_verdict_with_and_without_a_baseline(workshop, change):
    batch = workshop.write(whole(workshop, change))
    baseline = workshop.baseline_of(workshop.splits())
    for outcome in (workshop.validate(batch), workshop.validate(batch, baseline)):
        assert outcome.verdict.outcome.startswith(("clean", "anomalous"))
        assert (outcome.folder / "report.html").stat().st_size > 1000


@pytest.mark.parametrize("label", ["carrier", "distance", "seats", "day"])
def test_any_kind_of_label_gets_a_verdict(workshop, label):
    outcome = workshop.validate(workshop.write(workshop.splits()), label=label)
    assert outcome.verdict.passed
    assert outcome.validation.power.keys() <= set(workshop.kinds) - {label}


def test_names_that_are_odd_in_sql_or_html_are_columns_too(workshop):
    odd = "a \"b\" `c` <d> 'e'"
    splits = workshop.splits()
    for columns in splits.values():
        columns[odd] = columns["distance"]
    kinds = {**workshop.kinds, odd: "float"}
    quoted = odd.replace('"', '""')
    checks = {odd: 'select count(*) from examples where "NAME" > 0'.replace("NAME", quoted)}
    outcome = workshop.validate(workshop.write(splits, kinds), columns={odd: {"min": 1e9}}, checks=checks)
    assert outcome.found() == {("check_failed", None), ("out_of_range", odd)}

import itertools

import numpy as np
import pandas as pd
import pytest

from components.data_validation.correlate import correlate, cramers_v
from components.data_validation.measure_power import measure_power
from components.data_validation.sample import SampledColumn

ROWS = 2000


def number(values):
    return SampledColumn(numbers=np.asarray(values, float), codes=None, repeats=False)


def category(values):
    return SampledColumn(numbers=None, codes=np.asarray(values), repeats=True)


def dice():
    return np.random.default_rng(5)


def power(column, label, **options):
    return measure_power({"c": column, "y": label}, "y", **{"classes": True, **options})["c"]


def test_a_column_of_pure_chance_foretells_nothing_however_many_values_it_has():
    label = category(dice().integers(0, 2, ROWS))
    assert power(category(np.arange(ROWS)), label) == 0  # a key
    assert power(category(dice().permutation(np.arange(ROWS) // 2)), label) < 0.1
    assert power(number(dice().normal(size=ROWS)), label) < 0.1


def test_the_label_in_disguise_foretells_it():
    label = dice().integers(0, 2, ROWS)
    assert power(category(7 - label), category(label)) == 1
    assert power(number(100.0 * label), category(label)) == 1
    minutes = dice().normal(0, 40, ROWS)
    assert power(number(minutes), category((minutes >= 15).astype(int))) > 0.99
    assert power(number(np.where(label == 1, np.nan, 3.0)), category(label)) == 1  # missing gives it away


def test_power_of_few_values_is_the_gini_coefficient_by_its_definition():
    # Mann and Whitney 1947: the share of (positive, negative) pairs in the right order, ties half
    values = dice().integers(0, 4, ROWS)
    label = (dice().random(ROWS) < 0.2 + 0.15 * values).astype(int)
    positive, negative = values[label == 1], values[label == 0]
    order = np.sign(positive[:, None] - negative[None, :])
    assert power(category(values), category(label)) == pytest.approx(order.mean(), abs=0.02)


def test_quantities_are_foretold_by_the_share_of_explained_variance():
    x, noise = dice().normal(size=(2, ROWS))
    label = number(x + 0.5 * noise)
    assert power(number(x), label, classes=False) == pytest.approx(0.8, abs=0.03)  # 1 / (1 + 0.25)
    assert power(number(x**2), label, classes=False) < 0.1
    assert power(number(3 - label.numbers), label, classes=False) == pytest.approx(1)


def test_three_classes_are_foretold_one_against_the_rest():
    label = dice().integers(0, 3, ROWS)
    assert power(category(label), category(label)) == 1
    assert power(number(dice().normal(size=ROWS)), category(label)) < 0.1


@pytest.mark.filterwarnings("error")
def test_correlations_are_those_of_pandas_over_common_rows_whatever_the_columns_hold():
    x, y, z = dice().normal(size=(3, ROWS))
    nan, at = np.nan, np.arange(ROWS)
    columns = {
        "x": x, "near": x + 0.1 * y, "against": -3 * x + 1e6, "huge": 1.7e308 * np.tanh(x), "none": x * nan,
        "gaps": np.where(at % 3 == 0, nan, y), "few": np.where(at < 40, x, nan),
        "outlier": np.where(at, z, 1e15), "far": np.where(at < 100, 1e6 + x, nan),
        "step": np.where(at < 100, 5.0, z), "edge": np.where(at < 100, y, nan),
    }  # fmt: skip
    found = correlate({name: number(values) for name, values in columns.items()})
    frame = pd.DataFrame({**columns, "huge": np.tanh(x)})  # pandas would overflow
    expected = frame.corr(min_periods=50)
    pairs = {(each.first, each.second): each.value for each in found}
    assert ("far", "step") not in pairs  # `step` has a single value where `far` has any
    wanted = {pair for pair in itertools.combinations(columns, 2) if np.isfinite(expected.loc[pair])}
    assert pairs.keys() == wanted
    assert pairs == pytest.approx({pair: expected.loc[pair] for pair in wanted}, abs=1e-6)
    assert [abs(each.value) for each in found] == sorted(map(abs, pairs.values()), reverse=True)


def test_a_thousand_columns_are_correlated_in_seconds():
    values = dice().normal(size=(1000, 500))
    values[999] = values[0] + 0.01 * values[1]
    found = correlate({f"x{at}": number(row) for at, row in enumerate(values)})
    assert (found[0].first, found[0].second, len(found)) == ("x0", "x999", 20_000)


def test_cramers_v_is_bergsmas_over_the_counts_of_pandas():
    # Bergsma 2013, A bias-correction for Cramér's V and Tschuprow's T
    first = dice().integers(0, 3, 500)
    second = (first + dice().integers(0, 2, 500)) % 4
    table = pd.crosstab(first, second)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / 500
    chi = ((table.to_numpy() - expected) ** 2 / expected).sum()
    k, r = table.shape
    phi = max(0, chi / 500 - (k - 1) * (r - 1) / 499)
    v = np.sqrt(phi / min(k - (k - 1) ** 2 / 499 - 1, r - (r - 1) ** 2 / 499 - 1))
    assert cramers_v(first, second) == pytest.approx(v, rel=1e-9)


def test_independent_categories_of_many_values_are_not_bound():
    first, second = dice().integers(0, 50, 1000), np.random.default_rng(6).integers(0, 50, 1000)
    assert cramers_v(first, second) < 0.15
    assert cramers_v(first, 49 - first) == pytest.approx(1)
    assert cramers_v(first, np.full(1000, -1)) is None


def test_correlation_of_numbers_is_that_of_pandas_over_rows_that_have_both():
    frame = pd.DataFrame(dice().normal(size=(300, 3)), columns=list("abc"))
    frame["b"] += frame.a
    frame.loc[::7, "a"] = np.nan
    found = {(e.first, e.second): e.value for e in correlate({n: number(frame[n]) for n in frame})}
    for pair in itertools.combinations("abc", 2):
        assert found[pair] == pytest.approx(frame.corr().loc[pair], rel=1e-9)


def test_a_column_that_gives_the_answer_away_stops_the_run(workshop):
    splits, random = workshop.splits(), dice()
    for columns in splits.values():
        columns["delay"] = [15 * v + random.integers(0, 15) for v in columns["is_late"]]
    kinds = {**workshop.kinds, "delay": "integer"}
    outcome = workshop.validate(workshop.write(splits, kinds))
    assert outcome.found() == {("label_leak", "delay")}
    [reason] = outcome.verdict.reasons
    assert "`delay` alone foretells the label `is_late` (2·AUC − 1 = 1.000)" in reason
    allowed = {"delay": {"severities": {"label_leak": "off"}}}
    assert workshop.validate(workshop.write(splits, kinds), columns=allowed).verdict.passed


def test_columns_that_tell_the_same_are_named_in_a_warning(workshop):
    splits, kinds = workshop.splits(), {**workshop.kinds, "km": "float", "airline": "string"}
    for columns in splits.values():
        columns["km"] = [1.609 * v for v in columns["distance"]]
        columns["airline"] = [f"{v} Inc." for v in columns["carrier"]]
    outcome = workshop.validate(workshop.write(splits, kinds))
    assert outcome.found("warning") == {("near_duplicate", "km"), ("near_duplicate", "airline")}
    examples = [each.example for each, _ in outcome.validation.findings]
    assert all("km=" in each or "airline=" in each for each in examples)

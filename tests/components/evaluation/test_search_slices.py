"""Weak slices: planted ones are found, chance is not, and the numbers are SciPy's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.search_slices import adjust_by_holm, find_weak_slices

ROWS = 4_000


def search(columns, errors, **knobs):
    judged = Judged(task="regression", labels=np.zeros(len(errors)), answers=np.asarray(errors))
    return find_weak_slices(judged, pa.table(columns), list(columns), EvaluationConfig(**knobs))


def draw(seed):
    random = np.random.default_rng(seed)
    columns = {
        "carrier": random.choice(["AA", "UA", "DL", "B6"], ROWS),
        "month": random.integers(1, 13, ROWS),
        "distance": random.normal(size=ROWS),
    }
    return columns, random.normal(size=ROWS)


def test_a_planted_weak_value_is_found_and_its_pairs_are_not_told_again():
    columns, errors = draw(0)
    found = search(columns, np.where(columns["carrier"] == "DL", 2.0, 1.0) * errors).found
    assert found[0].slice.where == {"carrier": "DL"}
    assert not [one for one in found[1:] if "carrier" in one.slice.where]
    assert found[0].loss == pytest.approx(4.0, rel=0.15)
    assert found[0].slice.estimates["mse"].value == pytest.approx(found[0].loss)


def test_a_weakness_of_a_pair_alone_is_found_as_a_pair():
    random = np.random.default_rng(1)
    a, b = random.choice(["p", "q"], ROWS), random.choice(["x", "y"], ROWS)
    scale = np.where((a == "p") == (b == "x"), 2.0, 1.0)  # weak where both agree: no single value tells it
    found = search({"a": a, "b": b}, scale * random.normal(size=ROWS)).found
    assert {tuple(one.slice.where.values()) for one in found} == {("p", "x"), ("q", "y")}


def test_a_range_of_a_number_is_found():
    columns, errors = draw(2)
    weak = columns["distance"] > np.quantile(columns["distance"], 0.75)
    found = search(columns, np.where(weak, 2.0, 1.0) * errors).found
    assert str(found[0].slice.where["distance"]).startswith("above ")


def test_without_any_weakness_a_false_alarm_is_rare():
    alarms = sum(bool(search(*draw(seed)).found) for seed in range(60))
    assert alarms <= 8  # 5 % of 60 is 3; more than 8 has probability below 1e-2


def test_the_chance_is_scipys_welch_test_but_for_the_normal_tail():
    random = np.random.default_rng(3)
    group = np.repeat(["a", "b"], 2_000)
    errors = random.normal(size=ROWS) * np.where(group == "a", 1.12, 1.0)
    found = search({"g": group}, errors)
    losses = errors**2
    wanted = stats.ttest_ind(losses[:2_000], losses[2_000:], equal_var=False, alternative="greater")
    assert found.tested == 2
    assert found.found[0].p_value == pytest.approx(2 * wanted.pvalue, rel=0.05)  # Holm: the smaller of two


def test_holms_correction_equals_the_table_of_his_procedure():
    # Smallest first: times 4, 3, 2, 1, never falling (Holm 1979; the numbers of R's p.adjust, by hand).
    given = {(("c",), (code,)): p for code, p in enumerate([0.01, 0.04, 0.03, 0.005])}
    assert [adjust_by_holm(given, 4)[place] for place in given] == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_few_rows_and_no_wish_look_at_nothing():
    columns, errors = draw(4)
    assert search(columns, errors, worst_slices=0).tested == 0
    assert search({"c": np.array(["a"] * 40)}, errors[:40], min_slice_rows=1).tested == 0


def test_answers_that_are_not_finite_leave_nothing_to_search():
    columns, errors = draw(5)
    errors[3] = np.nan
    assert search(columns, errors).tested == 0


def test_what_is_not_told_is_counted():
    columns, errors = draw(6)
    month = np.isin(columns["month"], [1, 2, 3, 4])
    found = search(columns, np.where(month, 3.0, 1.0) * errors, worst_slices=1)
    assert (len(found.found), found.more) == (1, 3)

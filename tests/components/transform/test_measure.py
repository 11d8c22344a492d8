"""Moments, near-duplicates and vocabularies as measured; the oracle is NumPy, or a count by hand."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from components.transform import measure
from components.transform.correlate import CoMoments
from components.transform.derive import Derived
from components.transform.measure import measure_columns


def reader(table, rows=1_000):
    return lambda columns: iter(table.select(columns).to_batches(max_chunksize=rows))


def number(column, position=0, **changes):
    return Derived(column=column, position=position, kind="float", encoding="number", why="", **changes)


def test_moments_and_correlations_are_numpys_over_common_rows():
    draw = np.random.default_rng(1)
    values = draw.normal([5, -1e6, 0], [1, 1e3, 1e-3], (5_000, 3))
    values[:, 2] -= values[:, 0] / 1e4
    present = draw.random((5_000, 3)) > 0.02
    moments = CoMoments.of(values.min(axis=0), values.max(axis=0))
    for start in range(0, 5_000, 700):
        moments.add(values[start : start + 700], present[start : start + 700])
    known = [values[present[:, column], column] for column in range(3)]
    mean, deviation = moments.scales()
    np.testing.assert_allclose(mean, [column.mean() for column in known], rtol=1e-9)
    np.testing.assert_allclose(deviation, [column.std() for column in known], rtol=1e-9)
    found = {(later, earlier): value for later, earlier, value in moments.correlated([0, 1, 2], above=0.0)}
    assert list(found) == [(1, 0), (2, 0), (2, 1)]
    for (later, earlier), value in found.items():
        both = present[:, later] & present[:, earlier]
        np.testing.assert_allclose(value, np.corrcoef(values[both].T)[later, earlier], atol=1e-9)


def test_near_duplicates_are_found_in_either_sign_and_among_missing_values():
    draw = np.random.default_rng(2)
    miles = draw.lognormal(6, 1, 5_000)
    table = pa.table({
        "miles": pa.array(miles, mask=draw.random(5_000) < 0.01),
        "constant": np.full(5_000, 3.0),
        "km": -1.609 * miles + draw.normal(0, 1, 5_000),
        "other": draw.lognormal(6, 1, 5_000),
        "rare": pa.array(miles, mask=draw.random(5_000) < 0.8),
    })  # fmt: skip
    features = [number(name, place, clip_share=0.001) for place, name in enumerate(table.column_names)]
    found = measure_columns(reader(table), features, max_correlation=0.99).correlated
    assert [(later, earlier) for later, earlier, _ in found] == [("km", "miles")]
    assert found[0][2] < -0.99


@pytest.mark.parametrize("spike", [0.9995, 1.0])
def test_a_column_of_nearly_one_value_keeps_the_others(spike):
    values = np.where(np.arange(10_000) < 10_000 * spike, 0.0, 500.0)
    measured = measure_columns(
        reader(pa.table({"x": values})), [number("x", clip_share=0.001)], max_correlation=1.0
    )
    assert measured.columns["x"].clip is None
    np.testing.assert_allclose(measured.columns["x"].mean, values.mean())
    np.testing.assert_allclose(measured.columns["x"].deviation, values.std())


def test_an_explosion_of_values_is_held_to_a_bound_and_keeps_the_frequent_ones(monkeypatch):
    monkeypatch.setattr(measure, "MAX_VOCABULARY", 1_000)
    common = [f"common {place}" for place in range(50)]
    values = [*np.repeat(common, 2_000).tolist(), *(f"once {place:07d}" for place in range(400_000))]
    table = pa.table({"x": values}).take(np.random.default_rng(4).permutation(len(values)))
    feature = Derived(
        column="x", position=0, kind="string", encoding="category", size=9_000, truncated=True, why=""
    )
    found = measure_columns(reader(table), [feature], max_correlation=1.0).columns["x"].vocabulary
    assert len(found) <= 1_001
    assert {entry.decode() for entry in found[:50]} == set(common)


def test_entries_are_counted_over_all_batches_and_ranked():
    towns = np.random.default_rng(5).choice(["Rome", "Oslo", "Bern"], 3_000, p=[0.5, 0.3, 0.2]).tolist()
    feature = Derived(column="x", position=0, kind="string", encoding="category", size=10, why="")
    measured = measure_columns(reader(pa.table({"x": towns})), [feature], max_correlation=1.0)
    assert [entry.decode() for entry in measured.columns["x"].vocabulary] == [
        town for town, _ in Counter(towns).most_common()
    ]

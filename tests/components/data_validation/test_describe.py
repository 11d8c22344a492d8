import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.common.errors import BadInputError
from components.data_validation import describe

COLUMNS = {"n": "integer", "x": "float", "text": "string"}


def described(rows=300, seed=3):
    dice = np.random.default_rng(seed)
    x = dice.normal(size=rows)
    x[::7] = np.nan
    table = pa.table(
        {
            "n": pa.array(dice.integers(-50, 5000, rows), pa.int64(), mask=np.arange(rows) % 5 == 0),
            "x": pa.array(x, pa.float64(), mask=np.arange(rows) % 11 == 0),
            "text": pa.array([f"v{i}" for i in dice.zipf(1.5, rows)], pa.large_string()),
        }
    )
    return table, describe.describe_batch({"train": table}, COLUMNS)


def feature(batch, name):
    return batch.statistics.datasets[0].features[list(batch.columns).index(name)]


def test_counts_and_moments_are_those_of_pandas():
    table, batch = described()
    numbers = table.column("n").to_pandas().dropna()
    stats = feature(batch, "n").num_stats
    assert stats.common_stats.num_missing == table.column("n").null_count == batch.counts["train"]["n"].null
    assert (stats.min, stats.max) == (numbers.min(), numbers.max())
    assert stats.mean == pytest.approx(numbers.mean())
    assert stats.std_dev == pytest.approx(numbers.std(ddof=0))
    assert batch.counts["train"]["n"].distinct == numbers.nunique()


def test_nan_is_counted_apart_from_null():
    table, batch = described()
    values = table.column("x").combine_chunks().drop_null().to_numpy()
    counts = batch.counts["train"]["x"]
    assert (counts.null, counts.nan) == (table.column("x").null_count, np.isnan(values).sum())
    assert counts.present == np.isfinite(values).sum() == counts.distinct


def test_ranks_of_text_are_the_value_counts_of_pandas():
    table, batch = described()
    counted = table.column("text").to_pandas().value_counts()
    stats = feature(batch, "text").string_stats
    ranked = {each.label: each.sample_count for each in stats.rank_histogram.buckets}
    assert ranked == counted.to_dict()
    assert stats.unique == len(counted)
    assert stats.top_values[0].frequency == counted.iloc[0]


def test_quantile_buckets_hold_every_value_once_and_end_at_values_of_the_column():
    table, batch = described()
    numbers = table.column("n").to_pandas().dropna().astype(int)
    [buckets] = [
        each.buckets
        for each in feature(batch, "n").num_stats.histograms
        if each.type == statistics_pb2.Histogram.QUANTILES
    ]
    highs = [each.high_value for each in buckets]
    expected = pd.cut(numbers, [-np.inf, *highs]).value_counts(sort=False).tolist()  # (low, high]
    assert [each.sample_count for each in buckets] == expected
    assert set(highs) <= set(numbers)


def test_more_values_than_ranks_keep_the_most_frequent_in_a_fixed_order():
    values = [f"k{i:05d}" for i in reversed(range(3000))] + ["k02999"] * 5
    table = pa.table({"text": pa.array(values, pa.large_string())})
    first, second = (describe.describe_batch({"train": table}, {"text": "string"}) for _ in range(2))
    ranks = feature(first, "text").string_stats.rank_histogram.buckets
    assert len(ranks) == describe.RANKED_VALUES
    assert [ranks[0].label, ranks[1].label] == ["k02999", "k00000"]
    assert feature(first, "text").string_stats.unique == 3000
    assert first.statistics == second.statistics


def test_a_split_without_rows_is_described_as_empty():
    table, _ = described()
    batch = describe.describe_batch({"train": table, "eval": table[:0]}, COLUMNS)
    empty = batch.statistics.datasets[1]
    assert (empty.name, empty.num_examples) == ("eval", 0)
    assert [each.path.step[0] for each in empty.features] == list(COLUMNS)


def test_lost_rows_are_an_error(monkeypatch):
    real = describe.generate_statistics
    monkeypatch.setattr(describe, "generate_statistics", lambda batch: real(batch.slice(1)))
    with pytest.raises(BadInputError, match="cover 299 of 300 rows — split `train`"):
        described()

"""Reading what statistics say of a column, of this batch and of the baseline alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.data_validation.describe import Batch
from components.data_validation.messages import FeatureStatistics, Statistics


def split_features(statistics: Statistics, split: str) -> dict[str, FeatureStatistics]:
    """Return the statistics of one split by column; empty when there is no such split."""
    found = [dataset for dataset in statistics.datasets if dataset.name == split]
    return {feature.path.step[0]: feature for dataset in found for feature in dataset.features}


def train_features(statistics: Statistics) -> dict[str, FeatureStatistics]:
    """Return the statistics of the train split by column; empty when there is no such split."""
    return split_features(statistics, "train")


def known_features(
    batch: Batch, before: Mapping[str, FeatureStatistics]
) -> Iterator[tuple[str, FeatureStatistics]]:
    """Pair columns with earlier statistics, where both are numbers or both are text."""
    now = train_features(batch.statistics)
    for name in batch.columns:
        if name in before and before[name].WhichOneof("stats") == now[name].WhichOneof("stats"):
            yield name, before[name]


def missing_share(feature: FeatureStatistics) -> float:
    """Return the share of rows that are null or NaN, in [0, 1]."""
    stats = feature.num_stats if feature.HasField("num_stats") else feature.string_stats
    common = stats.common_stats
    rows = common.num_missing + common.num_non_missing
    none = common.num_non_missing if feature.HasField("num_stats") else 0  # no histogram: no number at all
    nan = max((each.num_nan for each in feature.num_stats.histograms), default=none)
    return (common.num_missing + nan) / rows if rows else 0.0


def value_counts(feature: FeatureStatistics) -> dict[str, float]:
    """Return how often each ranked text occurs, most frequent first."""
    return {each.label: each.sample_count for each in feature.string_stats.rank_histogram.buckets}

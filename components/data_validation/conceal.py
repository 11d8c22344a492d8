"""Personal columns: nothing but counts of them leaves this room, and the schema tells which they are."""

from __future__ import annotations

from collections.abc import Collection

from components.common.schemas import PERSONAL
from components.data_validation.config import ValidationConfig
from components.data_validation.messages import (
    FeatureStatistics,
    Histogram,
    Schema,
    SchemaFeature,
    Statistics,
)
from components.data_validation.read import Baseline

_COUNTS = ("num_missing", "num_non_missing", "min_num_values", "max_num_values", "avg_num_values")


def is_personal(feature: SchemaFeature) -> bool:
    """Tell whether a feature of a schema is tagged as personal."""
    return PERSONAL in feature.annotation.tag


def find_personal(baseline: Baseline | None, config: ValidationConfig) -> frozenset[str]:
    """Return the personal columns: the policy's, and the baseline's unless the policy denies them."""
    named = {name for name, policy in config.columns.items() if policy.personal}
    denied = {name for name, policy in config.columns.items() if policy.personal is False}
    before = baseline.schema.feature if baseline else []
    return frozenset(named | {each.name for each in before if is_personal(each)} - denied)


def conceal_feature(feature: FeatureStatistics) -> FeatureStatistics:
    """Return what statistics count: rows with and without a value, NaN, different texts; nothing else."""
    bare = FeatureStatistics(type=feature.type, path=feature.path)
    text = feature.HasField("string_stats")
    known, kept = (feature.string_stats, bare.string_stats) if text else (feature.num_stats, bare.num_stats)
    for count in _COUNTS:
        setattr(kept.common_stats, count, getattr(known.common_stats, count))
    if text:
        bare.string_stats.unique = known.unique
    elif feature.num_stats.histograms:
        nan = max(each.num_nan for each in feature.num_stats.histograms)
        bare.num_stats.histograms.add(type=Histogram.QUANTILES, num_nan=nan)  # has no bucket
    return bare


def conceal_baseline(baseline: Baseline, personal: Collection[str]) -> Baseline:
    """Return the baseline without what its files may still hold of columns that are personal now."""
    schema, statistics = Schema(), Statistics()
    schema.CopyFrom(baseline.schema)
    statistics.CopyFrom(baseline.statistics)
    for dataset in statistics.datasets:
        for feature in dataset.features:
            if feature.path.step[0] in personal:
                feature.CopyFrom(conceal_feature(feature))
    conceal_schema(schema, personal)
    return Baseline(schema=schema, statistics=statistics)


def conceal_schema(schema: Schema, personal: Collection[str]) -> None:
    """Tag the personal features of a schema, and no others, in place; their lists of values go."""
    for feature in schema.feature:
        tags = [tag for tag in feature.annotation.tag if tag != PERSONAL]
        if feature.name in personal:
            feature.ClearField("domain")
            tags.append(PERSONAL)
        if tags != list(feature.annotation.tag):
            del feature.annotation.tag[:]
            feature.annotation.tag.extend(tags)
    used = {feature.domain for feature in schema.feature}
    kept = [domain for domain in schema.string_domain if domain.name in used]
    if len(kept) < len(schema.string_domain):
        del schema.string_domain[:]
        schema.string_domain.extend(kept)

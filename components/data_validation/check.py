"""Holding a batch against the schema, the baseline and plain sense: one function per question."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from components.data_validation.compare import Distance, measure_distance
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch
from components.data_validation.infer import kind_of
from components.data_validation.messages import Anomalies, AnomalyType, FeatureStatistics, Statistics
from components.data_validation.read import Baseline
from components.data_validation.rules import Finding

# What the other checks of this file tell, and tell better.
_TOLD_ELSEWHERE = (
    "SCHEMA_MISSING_COLUMN", "SCHEMA_NEW_COLUMN", "FEATURE_TYPE_NOT_PRESENT",
    "FEATURE_TYPE_LOW_NUMBER_PRESENT", "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
)  # fmt: skip


def check_columns(batch: Batch, baseline: Baseline, label: str) -> Iterator[Finding]:
    """Yield columns that vanished, are new, or changed their kind against the baseline's schema."""
    expected = {feature.name: kind_of(feature) for feature in baseline.schema.feature}
    for name in (name for name in expected if name not in batch.columns and name != label):
        message = f"column `{name}` vanished — expected by the baseline's schema"
        yield Finding(rule="column_vanished", feature=name, threshold=expected[name], message=message)
    for name, kind in batch.columns.items():
        was = expected.get(name)
        if was is None:
            message = f"column `{name}` ({kind}) is new — the baseline's schema does not know it"
            yield Finding(rule="column_new", feature=name, value=kind, message=message)
        elif was != kind:
            message = f"column `{name}` changed its type from {was} to {kind}"
            yield Finding(rule="type_changed", feature=name, value=kind, threshold=was, message=message)


def check_label(batch: Batch, label: str) -> Iterator[Finding]:
    """Yield what makes the label unfit to be learnt: vanished, null in rows, or one value only."""
    if label not in batch.columns:
        message = f"label column `{label}` vanished — expected by the baseline's schema"
        yield Finding(rule="label_missing", feature=label, message=message)
        return
    for split, columns in batch.counts.items():
        counts = columns[label]
        if counts.missing:
            fix = f"add `WHERE {_quote(label)} IS NOT NULL` to the query"
            rows = f"{counts.missing:,} of {counts.rows:,} {split} rows"
            message = f"label `{label}` is missing in {rows} — {fix}"
            yield Finding(rule="label_null", feature=label, split=split, value=counts.missing,
                          threshold=0, message=message)  # fmt: skip
        if counts.distinct == 1:
            rule = "label_constant" if split == "train" else "label_one_class"
            message = f"label `{label}` has the same value in all {split} rows"
            yield Finding(rule=rule, feature=label, split=split, value=1, message=message)


def check_rows(batch: Batch, baseline: Baseline | None, config: ValidationConfig) -> Iterator[Finding]:
    """Yield splits that are too small, and a batch far smaller or larger than the baseline's."""
    for split, table in batch.tables.items():
        if table.num_rows < config.min_rows:
            needed = f"at least {config.min_rows:,} needed: set `split.fractions` or `validation.min_rows`"
            message = f"split `{split}` has {table.num_rows:,} rows — {needed}"
            yield Finding(rule="too_few_rows", split=split, value=table.num_rows,
                          threshold=config.min_rows, message=message)  # fmt: skip
    if baseline is None or not (before := _rows_before(batch, baseline)):
        return
    ratio = sum(table.num_rows for table in batch.tables.values()) / before
    words = f"{ratio:.2g} times the baseline's {before:,} rows arrived"
    if ratio < config.min_rows_ratio:
        message = f"{words} — at least {config.min_rows_ratio:g} times as many expected"
        yield Finding(rule="row_count_fell", value=ratio, threshold=config.min_rows_ratio, message=message)
    if ratio > config.max_rows_ratio:
        message = f"{words} — at most {config.max_rows_ratio:g} times as many expected"
        yield Finding(rule="row_count_grew", value=ratio, threshold=config.max_rows_ratio, message=message)


def _rows_before(batch: Batch, baseline: Baseline) -> int:
    return sum(each.num_examples for each in baseline.statistics.datasets if each.name in batch.tables)


def check_values(batch: Batch, baseline: Baseline | None, label: str) -> Iterator[Finding]:
    """Yield columns that are empty, constant, or hold infinities or NaN."""
    yield from _check_presence(batch, baseline, label)
    for split, columns in batch.counts.items():
        for name, counts in columns.items():
            if not counts.rows:
                continue
            where = f"column `{name}`"
            if counts.present and counts.nan:
                message = f"{where} holds NaN in {counts.nan:,} of {counts.rows:,} {split} rows"
                yield Finding(rule="nan_values", feature=name, split=split, value=counts.nan,
                              threshold=0, message=message)  # fmt: skip
            if counts.infinite:
                message = f"{where} is infinite in {counts.infinite:,} of {counts.rows:,} {split} rows"
                yield Finding(rule="infinite_values", feature=name, split=split, value=counts.infinite,
                              threshold=0, message=message)  # fmt: skip
            if split == "train" and name != label and counts.distinct == 1 < counts.rows:
                message = f"{where} holds one single value"
                yield Finding(rule="column_constant", feature=name, split=split, value=1,
                              message=message)  # fmt: skip


def _check_presence(batch: Batch, baseline: Baseline | None, label: str) -> Iterator[Finding]:
    """Yield columns without any value; an empty label is told with the label's missing values."""
    before = train_features(baseline.statistics) if baseline else {}
    for split, columns in batch.counts.items():
        for name, counts in columns.items():
            if counts.present or not counts.rows or name == label:
                continue
            if split != "train" and not batch.counts["train"][name].present:
                continue  # told once, of train
            rule, fix = _judge_empty(name, split, before)
            message = f"column `{name}` holds no value in any of {counts.rows:,} {split} rows{fix}"
            yield Finding(rule=rule, feature=name, split=split, value=1.0, message=message)


def _judge_empty(name: str, split: str, before: Mapping[str, FeatureStatistics]) -> tuple[str, str]:
    if split != "train":
        return "column_empty_in_split", ""
    if name in before and missing_share(before[name]) < 1:
        lowered = "set `validation.severities: {column_emptied: warning}`"
        return "column_emptied", f", but the baseline has values — mend the source, or {lowered}"
    dropped = f"drop it in the query (`SELECT * EXCLUDE ({_quote(name)})`)"
    return "column_empty", f" — {dropped} or set `validation.severities: {{column_empty: off}}`"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def check_missing(batch: Batch, baseline: Baseline, config: ValidationConfig) -> Iterator[Finding]:
    """Yield columns whose share of missing values rose against the baseline's train split."""
    for name, before in _known(batch, train_features(baseline.statistics)):
        counts = batch.counts["train"][name]
        if not counts.present:  # told as an empty column
            continue
        share, was = counts.missing / counts.rows, missing_share(before)
        message = f"column `{name}` is missing in {share:.1%} of rows — {was:.1%} in the baseline"
        if share - was > config.max_missing_rise:
            yield Finding(rule="missing_rose", feature=name, split="train", value=share,
                          threshold=was + config.max_missing_rise, message=message)  # fmt: skip
        elif share and not was:
            yield Finding(rule="missing_values", feature=name, split="train", value=share,
                          threshold=was, message=message)  # fmt: skip


def check_domains(batch: Batch, baseline: Baseline) -> Iterator[Finding]:
    """Yield text columns whose train split has values that the baseline's schema does not list."""
    domains = {domain.name: set(domain.value) for domain in baseline.schema.string_domain}
    known = {feature.name: domains[feature.domain] for feature in baseline.schema.feature if feature.domain}
    for name, stats in train_features(batch.statistics).items():
        if name not in known or not stats.HasField("string_stats"):
            continue
        ranks = stats.string_stats.rank_histogram.buckets
        unseen = {each.label: each.sample_count for each in ranks if each.label not in known[name]}
        if unseen:
            share = sum(unseen.values()) / batch.counts["train"][name].present
            shown = ", ".join(f"`{value}`" for value in list(unseen)[:3])
            more = f" and {len(unseen) - 3:,} more" if len(unseen) > 3 else ""
            message = f"column `{name}` holds unseen values in {share:.2%} of rows: {shown}{more}"
            yield Finding(rule="unseen_value", feature=name, split="train", value=share,
                          threshold=0, message=message)  # fmt: skip


def check_schema(anomalies: Anomalies, told: Collection[str]) -> Iterator[Finding]:
    """Yield what TFDV found and no other check tells: constraints that people wrote into the schema.

    Args:
        anomalies: What TFDV says of the train split.
        told: Columns that another check found to be absent, new, empty or of another type.
    """
    for name, info in sorted(anomalies.anomaly_info.items()):
        for reason in info.reason:
            kind = AnomalyType.Name(reason.type)
            if name not in told and kind not in _TOLD_ELSEWHERE:
                message = f"column `{name}`: {reason.description or reason.short_description}"
                yield Finding(
                    rule="schema_anomaly", feature=name, split="train", value=kind, message=message
                )


def measure_drift(batch: Batch, baseline: Baseline, config: ValidationConfig) -> dict[str, Distance]:
    """Return how far the train split of each comparable column is from the baseline's."""
    known = _known(batch, train_features(baseline.statistics))
    found = {
        name: measure_distance(batch, "train", name, before)
        for name, before in known
        if name not in config.may_drift
    }
    return {name: distance for name, distance in found.items() if distance}


def check_drift(drift: Mapping[str, Distance], config: ValidationConfig) -> Iterator[Finding]:
    """Yield columns whose train split is spread differently than the baseline's."""
    for name, distance in drift.items():
        if distance.value > (allowed := config.max_drift + distance.noise):
            message = f"column `{name}` drifted from the baseline: {_distance(distance, allowed)}"
            yield Finding(rule="drift", feature=name, split="train", value=distance.value,
                          threshold=allowed, message=message)  # fmt: skip


def check_skew(batch: Batch, config: ValidationConfig) -> Iterator[Finding]:
    """Yield columns whose eval or test split is spread differently than the train split."""
    for split in (split for split in batch.tables if split != "train"):
        for name, train in _known(batch, train_features(batch.statistics)):
            distance = None if name in config.may_drift else measure_distance(batch, split, name, train)
            if distance and distance.value > (allowed := config.max_skew + distance.noise):
                message = f"column `{name}` of {split} differs from train: {_distance(distance, allowed)}"
                yield Finding(rule="skew", feature=name, split=split, value=distance.value,
                              threshold=allowed, message=message)  # fmt: skip


def _distance(distance: Distance, allowed: float) -> str:
    at = f" (value `{distance.at}`)" if distance.at is not None else ""
    return f"{distance.measure} {distance.value:.2g}{at}, allowed {allowed:.2g}"


def train_features(
    statistics: Statistics,
) -> dict[str, FeatureStatistics]:
    """Return the statistics of the train split by column; empty when there is no such split."""
    found = [dataset for dataset in statistics.datasets if dataset.name == "train"]
    return {feature.path.step[0]: feature for dataset in found for feature in dataset.features}


def _known(batch: Batch, before: dict[str, FeatureStatistics]) -> Iterator[tuple[str, FeatureStatistics]]:
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

"""Are the columns, the rows and the values there? Held against the baseline, where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch
from components.data_validation.illustrate import missing_rows, show_expected, show_row
from components.data_validation.infer import kind_of
from components.data_validation.look_up import known_features, missing_share, train_features
from components.data_validation.messages import FeatureStatistics
from components.data_validation.read import Baseline
from components.data_validation.rules import Finding


def check_columns(batch: Batch, baseline: Baseline, label: str) -> Iterator[Finding]:
    """Yield columns that vanished, are new, or changed their kind against the baseline's schema.

    Where the baseline holds no value of a column, its kind there says nothing: an empty column of a CSV
    file is text.
    """
    expected = {feature.name: kind_of(feature) for feature in baseline.schema.feature}
    before = train_features(baseline.statistics)
    for name in (name for name in expected if name not in batch.columns and name != label):
        message = f"column `{name}` vanished — expected by the baseline's schema"
        shown = name in before and name not in batch.personal
        yield Finding(rule="column_vanished", feature=name, threshold=expected[name], message=message,
                      example=show_expected(before[name], expected[name]) if shown else None)  # fmt: skip
    for name, kind in batch.columns.items():
        was = expected.get(name)
        if was is None:
            message = f"column `{name}` ({kind}) is new — the baseline's schema does not know it"
            yield Finding(rule="column_new", feature=name, value=kind, message=message,
                          example=_present_row(batch, name))  # fmt: skip
        elif name in before and missing_share(before[name]) == 1:
            if batch.counts["train"][name].present:
                message = f"column `{name}` ({kind}) has values now — it had none in the baseline"
                yield Finding(rule="column_filled", feature=name, value=kind, message=message,
                              example=_present_row(batch, name))  # fmt: skip
        elif was != kind:
            message = f"column `{name}` changed its type from {was} to {kind}"
            yield Finding(rule="type_changed", feature=name, value=kind, threshold=was, message=message,
                          example=_present_row(batch, name))  # fmt: skip


def _present_row(batch: Batch, name: str) -> str | None:
    return show_row(batch, "train", ~missing_rows(batch.column("train", name)), name)


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


def check_presence(batch: Batch, baseline: Baseline | None, label: str) -> Iterator[Finding]:
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
            example = show_row(batch, split, np.ones(counts.rows, bool), name)
            yield Finding(rule=rule, feature=name, split=split, value=1.0, message=message,
                          example=example)  # fmt: skip


def _judge_empty(name: str, split: str, before: Mapping[str, FeatureStatistics]) -> tuple[str, str]:
    if split != "train":
        return "column_empty_in_split", ""
    if name in before and missing_share(before[name]) < 1:
        lowered = f"set `validation.columns.{name}.severities: {{column_emptied: warning}}`"
        return "column_emptied", f", but the baseline has values — mend the source, or {lowered}"
    dropped = f"drop it in the query (`SELECT * EXCLUDE ({quote(name)})`)"
    return "column_empty", f" — {dropped} or set `validation.severities: {{column_empty: off}}`"


def quote(name: str) -> str:
    """Write a column as SQL does."""
    return '"' + name.replace('"', '""') + '"'


def check_missing(batch: Batch, baseline: Baseline, config: ValidationConfig) -> Iterator[Finding]:
    """Yield columns whose share of missing values rose against the baseline's train split."""
    for name, before in known_features(batch, train_features(baseline.statistics)):
        counts = batch.counts["train"][name]
        if not counts.present:  # told as an empty column
            continue
        share, was = counts.missing / counts.rows, missing_share(before)
        message = f"column `{name}` is missing in {share:.1%} of rows — {was:.1%} in the baseline"
        rose = share - was > config.max_missing_rise
        if rose or (share and not was):
            yield Finding(
                rule="missing_rose" if rose else "missing_values", feature=name, split="train", value=share,
                threshold=was + config.max_missing_rise if rose else was, message=message,
                example=show_row(batch, "train", missing_rows(batch.column("train", name)), name),
            )  # fmt: skip

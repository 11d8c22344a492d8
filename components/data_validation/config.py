"""What counts as a bad batch: the policy, checked when built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from components.common.config import build_config, whole
from components.data_validation.policy import Check, ColumnPolicy, read_severities
from components.data_validation.rules import RULES, Finding

_SHARES = ("max_drift", "max_skew", "min_rows_ratio", "max_missing_rise", "max_vanished_share")
_SCORES = ("max_predictive_power", "max_correlation")
_COUNTS = ("min_rows", "max_rows_ratio", "max_domain_values", "max_distinct_values", "max_imbalance")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationConfig:
    """Thresholds, severities, and what is asked of single columns.

    Attributes:
        max_drift: Largest distance, in [0, 1], allowed between a column's train split and the
            baseline's, on top of what sampling alone explains: Jensen-Shannon divergence in bits for
            numbers, the largest change of one value's share for text and booleans.
        max_skew: The same between the train split and the eval or test split.
        max_vanished_share: Largest share that a text may have had in the baseline and be gone. In [0, 1].
        min_rows: Fewest rows in each split. Count, at least 1.
        min_rows_ratio: Fewest rows over all splits, as a share of the baseline's. In [0, 1].
        max_rows_ratio: Most rows over all splits, as a multiple of the baseline's. At least 1.
        max_missing_rise: Largest rise of the share of missing values against the baseline. In [0, 1].
        max_domain_values: Text columns with more distinct values than this (and those where a value
            stands in fewer than ten rows on average) get no list of known values. Count, at least 1.
        max_distinct_values: Most distinct values of a text column. Count, at least 1.
        max_imbalance: Most rows of the most frequent class per row of the rarest. At least 1.
        max_predictive_power: How well one column alone may foretell the label. In [0, 1]; 1 never warns.
        max_correlation: How closely two columns may be bound: |r| of numbers, Cramér's V of categories.
            In [0, 1]; 1 never warns.
        severities: `error`, `warning` or `off` by rule, where it shall differ from the rule's own.
        columns: Fields of `ColumnPolicy` by column.
        checks: SQL by name, in words that the report shows: a query, or `{sql, severity}`.
    """

    max_drift: float = 0.1
    max_skew: float = 0.1
    max_vanished_share: float = 0.01
    min_rows: int = 10
    min_rows_ratio: float = 0.5
    max_rows_ratio: float = 10.0
    max_missing_rise: float = 0.2
    max_domain_values: int = 100
    max_distinct_values: int = 100_000
    max_imbalance: float = 100.0
    max_predictive_power: float = 0.95
    max_correlation: float = 0.99
    severities: Mapping[str, str] = field(default_factory=dict[str, str])
    columns: Mapping[str, Any] = field(default_factory=dict[str, Any])
    checks: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Reject impossible thresholds at once, naming the value, and read columns and checks."""
        for name in (*_SHARES, *_SCORES):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`0 <= {name} <= 1` must hold, but got {name}={getattr(self, name)!r}.")
        for name in _COUNTS:
            if not getattr(self, name) >= 1:
                raise ValueError(f"`{name} >= 1` must hold, but got {name}={getattr(self, name)!r}.")
        object.__setattr__(self, "severities", read_severities(self.severities))
        object.__setattr__(self, "columns", _read_columns(self.columns))
        object.__setattr__(self, "checks", _read_checks(self.checks))

    def column(self, name: str) -> ColumnPolicy:
        """Return what is asked of a column; nothing by default."""
        return self.columns.get(name, ColumnPolicy())

    def severity(self, finding: Finding) -> str:
        """Return `error`, `warning` or `off`: the finding's, else the column's, the table's, the rule's."""
        own = self.column(finding.feature).severities if finding.feature else {}
        table = self.severities.get(finding.rule, RULES[finding.rule].severity)
        return finding.severity or own.get(finding.rule, table)


def _read_columns(columns: object) -> dict[str, ColumnPolicy]:
    read: dict[str, ColumnPolicy] = {}
    for name, asked in _mapping(columns, "columns").items():
        if isinstance(asked, ColumnPolicy):
            read[name] = asked
            continue
        settings = {key: whole(value) for key, value in _mapping(asked, f"columns.{name}").items()}
        read[name] = build_config(ColumnPolicy, settings, where=f"validation.columns.{name}")
    return read


def _read_checks(checks: object) -> dict[str, Check]:
    read: dict[str, Check] = {}
    for name, asked in _mapping(checks, "checks").items():
        if isinstance(asked, Check):
            read[name] = asked
            continue
        settings = {"sql": asked} if isinstance(asked, str) else _mapping(asked, f"checks.{name}")
        if "sql" not in settings:
            raise ValueError(f"`checks.{name}` must be a query or {{sql, severity}}, but got {asked!r}.")
        read[name] = build_config(Check, settings, where=f"validation.checks.{name}")
    return read


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in cast("Any", value)):
        raise ValueError(f"`{name}` must be a mapping by name, but got {value!r}.")
    return cast("Mapping[str, Any]", value)

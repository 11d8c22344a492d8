"""What counts as a bad batch, checked when built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from components.data_validation.rules import RULES, SEVERITIES


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationConfig:
    """Thresholds and severities of data validation.

    Attributes:
        max_drift: Largest distance, in [0, 1], allowed between a column's train split and the
            baseline's, on top of what sampling alone explains: Jensen-Shannon divergence in bits for
            numbers, the largest change of one value's share for text and booleans.
        max_skew: The same between the train split and the eval or test split.
        min_rows: Fewest rows in each split. Count, at least 1.
        min_rows_ratio: Fewest rows over all splits, as a share of the baseline's. In [0, 1].
        max_rows_ratio: Most rows over all splits, as a multiple of the baseline's. At least 1.
        max_missing_rise: Largest rise of the share of missing values against the baseline. In [0, 1].
        max_domain_values: Text columns with more distinct values than this (and those where a value
            stands in fewer than ten rows on average) get no list of known values. Count, at least 1.
        may_drift: Columns that move by nature and are compared neither with the baseline nor between
            splits. Dates, timestamps and keys never are.
        severities: `error`, `warning` or `off` by rule, where it shall differ from the rule's own.
    """

    max_drift: float = 0.1
    max_skew: float = 0.1
    min_rows: int = 10
    min_rows_ratio: float = 0.5
    max_rows_ratio: float = 10.0
    max_missing_rise: float = 0.2
    max_domain_values: int = 100
    may_drift: Sequence[str] = ()
    severities: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Reject impossible thresholds at once, naming the value."""
        for name in ("max_drift", "max_skew", "min_rows_ratio", "max_missing_rise"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`0 <= {name} <= 1` must hold, but got {name}={getattr(self, name)!r}.")
        for name in ("min_rows", "max_rows_ratio", "max_domain_values"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"`{name} >= 1` must hold, but got {name}={getattr(self, name)!r}.")
        _check_columns(self.may_drift)
        _check_severities(self.severities)

    def severity(self, rule: str) -> str:
        """Return `error`, `warning` or `off`: what the user set for a rule, else the rule's own."""
        return self.severities.get(rule, RULES[rule].severity)


def _check_columns(may_drift: object) -> None:
    names = cast("Sequence[object]", may_drift) if isinstance(may_drift, (list, tuple)) else [None]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"`may_drift` must be a list of column names, but got {may_drift=}.")


def _check_severities(severities: object) -> None:
    if not isinstance(severities, dict):
        raise ValueError(f"`severities` must map rules to severities, but got {severities=}.")
    for rule, severity in severities.items():  # pyright: ignore[reportUnknownVariableType]
        if rule not in RULES:
            raise ValueError(f"`severities` names an unknown rule {rule!r}; rules: {', '.join(RULES)}.")
        if severity not in SEVERITIES:
            raise ValueError(f"`{rule}` must be one of {', '.join(SEVERITIES)}, but got {severity!r}.")

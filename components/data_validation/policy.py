"""What a user says of one column, of one SQL check, and of severities: read and checked."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast

from components.common.artifacts import Kind
from components.data_validation.rules import RULES, SEVERITIES


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnPolicy:
    """What is asked of one column.

    Attributes:
        min: Smallest value allowed: a number, or `YYYY-MM-DD` for a date and `YYYY-MM-DDTHH:MM:SS` for a
            timestamp; they are compared as text, so no other form will do.
        max: Largest value allowed, likewise.
        domain: The values allowed; None allows all.
        required: Whether every row must hold a value.
        unique: Whether no value may occur twice, over all splits.
        personal: Whether values may never be shown; nothing but counts of the column leaves this room.
            None keeps what the baseline's schema says.
        may_drift: Whether it moves by nature and is compared neither with the baseline nor between
            splits. None decides by what the column is: calendars, dates, keys and prose do.
        max_drift: Overrides the table's `max_drift` and `max_skew`. In [0, 1].
        severities: `error`, `warning` or `off` by rule, for this column.
    """

    min: float | str | None = None
    max: float | str | None = None
    domain: Sequence[str | int | float] | None = None
    required: bool = False
    unique: bool = False
    personal: bool | None = None
    may_drift: bool | None = None
    max_drift: float | None = None
    severities: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Reject what cannot hold, naming the value."""
        _check_bounds(self.min, self.max)
        if self.domain is not None and not _is_domain(self.domain):
            raise ValueError(f"`domain` must be a list of texts or numbers, but got {self.domain!r}.")
        for name in ("personal", "may_drift"):
            if getattr(self, name) not in (None, True, False):
                raise ValueError(f"`{name}` must be true or false, but got {getattr(self, name)!r}.")
        if self.max_drift is not None and not (_is_number(self.max_drift) and 0 <= self.max_drift <= 1):
            raise ValueError(f"`0 <= max_drift <= 1` must hold, but got {self.max_drift!r}.")
        object.__setattr__(self, "severities", read_severities(self.severities))


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check in SQL.

    Attributes:
        sql: A SELECT over `examples`, or `train`, `eval` and `test`, of one number: 0 means that it holds.
        severity: `error`, `warning` or `off`; None leaves it to `severities.check_failed`.
    """

    sql: str
    severity: str | None = None

    def __post_init__(self) -> None:
        """Reject an empty query and an unknown severity."""
        if not isinstance(cast(object, self.sql), str) or not self.sql.strip():
            raise ValueError(f"`sql` must be a SELECT of one number, but got {self.sql!r}.")
        if self.severity is not None:
            object.__setattr__(self, "severity", _read_severity("severity", self.severity))


def read_severities(severities: object) -> dict[str, str]:
    """Return severities by rule.

    YAML reads a bare `off` as false; that is taken for what was written.

    Raises:
        ValueError: It is no mapping, or holds an unknown rule (the nearest is suggested) or severity.
    """
    if not isinstance(severities, Mapping):
        raise ValueError(f"`severities` must map rules to severities, but got {severities=}.")
    given = cast("Mapping[Any, object]", severities)
    for rule in given:
        if rule not in RULES:
            near = difflib.get_close_matches(str(rule), RULES, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"rules: {', '.join(RULES)}"
            raise ValueError(f"`severities` names an unknown rule {rule!r}; {hint}")
    return {rule: _read_severity(rule, severity) for rule, severity in given.items()}


def is_iso(value: str, kind: Kind) -> bool:
    """Tell whether a text is a date, or a timestamp, of the one form that examples hold."""
    try:
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return False
    return value == (date.isoformat(moment) if kind == "date" else moment.isoformat(timespec="seconds"))


def _read_severity(name: str, severity: object) -> str:
    severity = "off" if severity is False else severity
    if severity not in SEVERITIES:
        raise ValueError(f"`{name}` must be one of {', '.join(SEVERITIES)}, but got {severity!r}.")
    return cast(str, severity)


def _check_bounds(low: object, high: object) -> None:
    for name, bound in (("min", low), ("max", high)):
        if bound is not None and not _is_number(bound) and not _is_moment(bound):
            forms = "a number, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS"
            raise ValueError(f"`{name}` must be {forms}, but got {bound!r}.")
    if low is None or high is None:
        return
    if isinstance(low, str) != isinstance(high, str) or not cast(Any, low) <= cast(Any, high):
        raise ValueError(f"`min <= max` must hold, but got min={low!r}, max={high!r}.")


def _is_moment(value: object) -> bool:
    return isinstance(value, str) and (is_iso(value, "date") or is_iso(value, "timestamp"))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_domain(domain: object) -> bool:
    listed = isinstance(domain, (list, tuple)) and len(cast("list[Any]", domain)) > 0
    return listed and all(isinstance(each, str) or _is_number(each) for each in cast("list[Any]", domain))

"""Which columns are not compared with the baseline or between splits, and why: they move by nature."""

from __future__ import annotations

from components.data_validation.config import ValidationConfig
from components.data_validation.describe import ROWS_PER_VALUE, Batch, is_categorical
from components.data_validation.find_calendar import CalendarPart, find_calendar_part, is_calendar_text
from components.data_validation.infer import kind_of
from components.data_validation.look_up import train_features
from components.data_validation.read import Baseline


def find_calendar(batch: Batch, baseline: Baseline | None) -> dict[str, CalendarPart]:
    """Return the columns that are parts of dates; the baseline's numbers decide where there are some."""
    features = train_features(batch.statistics)
    before = train_features(baseline.statistics) if baseline else {}
    found: dict[str, CalendarPart] = {}
    for name, kind in batch.columns.items():
        earlier = before.get(name, features[name])
        same = earlier.WhichOneof("stats") == features[name].WhichOneof("stats")
        part = find_calendar_part(name, kind, earlier if same else features[name])
        if part and name not in batch.personal:
            found[name] = part
    return found


def find_exempt(
    batch: Batch,
    baseline: Baseline | None,
    calendar: dict[str, CalendarPart],
    label: str,
    config: ValidationConfig,
) -> dict[str, str]:
    """Return the columns that are not compared, with the reason for people.

    Args:
        batch: The batch.
        baseline: What it is held against, or None.
        calendar: What `find_calendar` returned.
        label: The label is compared whatever its name is.
        config: `columns.<name>.may_drift` overrides what a column looks like.
    """
    before = {feature.name: kind_of(feature) for feature in baseline.schema.feature} if baseline else {}
    found: dict[str, str] = {}
    for name, kind in batch.columns.items():
        reason = None if name == label else _reason(batch, name, calendar.get(name), config)
        if name in batch.personal:
            reason = "personal: counts only"
        elif before.get(name, kind) != kind:
            reason = f"it was of kind {before[name]}"
        if reason:
            found[name] = reason
    return found


def _reason(batch: Batch, name: str, part: CalendarPart | None, config: ValidationConfig) -> str | None:
    kind, counts = batch.columns[name], batch.counts["train"][name]
    asked = config.column(name).may_drift
    if asked is not None:
        return "`may_drift` is set" if asked else None
    if kind in ("date", "timestamp"):
        return f"a {kind}"
    if part:
        return f"a part of dates: named `{part.word}`, whole numbers from {part.low} to {part.high}"
    if kind == "string" and is_calendar_text(train_features(batch.statistics)[name]):
        return "names of days, months or periods"
    if kind == "integer" and counts.distinct == counts.present > ROWS_PER_VALUE:
        return "a key: no number twice"
    if kind == "string" and counts.present and not is_categorical(counts.distinct, counts.present):
        return "keys or prose: too many different texts"
    return None

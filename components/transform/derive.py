"""Deriving features from kinds and counts: which columns enter the model, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from components.common.artifacts import Kind
from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.transform.config import TransformConfig
from components.transform.profile import ColumnProfile

Encoding = Literal["number", "category", "hash", "calendar"]

_ALLOWED: dict[Kind, tuple[str, ...]] = {
    "float": ("number",),
    "integer": ("number", "category", "hash"),
    "boolean": ("category", "number"),
    "string": ("category", "hash"),
    "date": ("calendar", "category", "hash"),
    "timestamp": ("calendar", "category", "hash"),
}


@dataclass(frozen=True, kw_only=True)
class Derived:
    """How one column enters the model.

    Attributes:
        column: The raw column.
        kind: Its kind.
        encoding: `number` (z-score), `category` (vocabulary), `hash` (buckets) or `calendar` (parts).
        size: Most entries of the vocabulary, or the number of buckets; 0 for the others.
        truncated: Whether the train split may hold more distinct values than `size`.
        indicator: Whether a number says apart that it was missing.
        why: The reason, for people.
    """

    column: str
    kind: Kind
    encoding: Encoding
    size: int
    truncated: bool
    indicator: bool
    why: str


def derive_features(
    profiles: Mapping[str, ColumnProfile], features: Mapping[str, Any], config: TransformConfig
) -> tuple[list[Derived], dict[str, str]]:
    """Decide for every column.

    Args:
        profiles: Columns of the train split without the label, in order.
        features: The user's overrides by column: `drop`, `number`, `category`, `hash` or `calendar`, or
            a mapping `{encoding, size}`.
        config: Where the lines are.

    Returns:
        The columns that enter, in order, and those that are left out with the reason.

    Raises:
        BadInputError: An override names no such column, or an encoding that its kind cannot have; or no
            column is left.
    """
    require_known(features, list(profiles), where="parameter `features`")
    derived: list[Derived] = []
    dropped: dict[str, str] = {}
    for column, profile in profiles.items():
        asked = _override(column, profile.kind, features[column]) if column in features else None
        decision = _derive(column, profile, asked, config)
        if isinstance(decision, Derived):
            derived.append(decision)
        else:
            dropped[column] = decision
    if not derived:
        reasons = "; ".join(f"{column}: {reason}" for column, reason in dropped.items())
        raise BadInputError("no column is left as a feature", where="examples", value=reasons)
    return derived, dropped


def _override(column: str, kind: Kind, value: Any) -> tuple[str, int | None]:
    where = f"parameter `features.{column}`"
    settings = {"encoding": value} if isinstance(value, str) else value
    if not isinstance(settings, Mapping):
        raise BadInputError("must be a word or a mapping", where=where, value=value)
    require_known(cast("Mapping[str, Any]", settings), ("encoding", "size"), where=where)
    encoding, size = settings.get("encoding"), whole(settings.get("size"))
    allowed = ("drop", *_ALLOWED[kind])
    if encoding not in allowed:
        fix = f"a column of kind {kind} takes {', '.join(allowed)}"
        raise BadInputError("unknown encoding", where=where, value=encoding, fix=fix)
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise BadInputError("`size >= 1` must hold", where=where, value=size)
    return encoding, size


def _derive(
    column: str, profile: ColumnProfile, asked: tuple[str, int | None] | None, config: TransformConfig
) -> Derived | str:
    if profile.present == 0:
        return "has no value in the train split"
    if asked is None and len(profile.distinct) == 1 and profile.present == profile.rows:
        return "is constant in the train split"
    encoding, why = (asked[0], "asked for") if asked else _choose(profile, config)
    if encoding == "drop":
        return why if asked is None else "asked for in `features`"
    defaults = {"category": config.max_vocabulary, "hash": config.hash_buckets}
    size = (asked[1] if asked else None) or defaults.get(encoding, 0)
    return Derived(
        column=column, kind=profile.kind, encoding=cast(Encoding, encoding),
        size=size, truncated=len(profile.distinct) > size,
        indicator=profile.present < profile.rows, why=why,
    )  # fmt: skip


def _choose(profile: ColumnProfile, config: TransformConfig) -> tuple[str, str]:
    count = len(profile.distinct)
    if profile.kind == "float":
        return "number", "a float"
    if profile.kind == "integer":
        if profile.looks_counted:
            return "drop", "looks like a counter: whole numbers in even steps, none of them twice"
        if count > config.max_vocabulary_integers:
            return "number", f"an integer, more than {config.max_vocabulary_integers} distinct values"
        return "category", f"an integer, {count} distinct values"
    if profile.kind == "boolean":
        return "category", "a boolean"
    if profile.kind in ("date", "timestamp"):
        return "calendar", f"a {profile.kind}"
    return _choose_for_string(profile, config)


def _choose_for_string(profile: ColumnProfile, config: TransformConfig) -> tuple[str, str]:
    count = len(profile.distinct)
    if profile.mean_words > config.max_words:
        return "drop", f"looks like free text: {profile.mean_words:.1f} words on average"
    if profile.identifier_share > config.max_identifier_share:
        return (
            "drop",
            f"looks like an identifier: {profile.identifier_share:.0%} of its values are distinct",
        )
    if count > config.max_vocabulary:
        return "hash", f"a string, more than {config.max_vocabulary} distinct values"
    return "category", f"a string, {count} distinct values"

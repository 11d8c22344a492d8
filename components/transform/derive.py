"""Deriving features from kinds and counts: which columns enter the model, and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from components.common.artifacts import Kind
from components.common.config import require_known
from components.common.errors import BadInputError
from components.transform.config import MAX_VOCABULARY, TransformConfig
from components.transform.override import Override, read_override
from components.transform.profile import ColumnProfile

Encoding = Literal["number", "category", "hash", "calendar"]


@dataclass(frozen=True, kw_only=True)
class Derived:
    """How one column enters the model.

    Attributes:
        column: The raw column.
        position: Its place among the columns that are no label, counted from 0.
        kind: Its kind.
        encoding: `number` (z-score), `category` (vocabulary), `hash` (buckets) or `calendar` (parts).
        size: Most entries of the vocabulary, or the number of buckets; 0 for the others.
        truncated: Whether the train split may hold more distinct values than `size`.
        clip_share: Share of the values at each end beyond which numbers are clipped; 0 clips nothing.
        indicator: Whether a number says apart that it was missing.
        personal: Whether no value of it may be shown, nor what was computed from its values.
        why: The reason, for people.
        warning: What the user should know about this choice, or None.
    """

    column: str
    position: int
    kind: Kind
    encoding: Encoding
    size: int = 0
    truncated: bool = False
    clip_share: float = 0.0
    indicator: bool = False
    personal: bool = False
    why: str
    warning: str | None = None

    @property
    def scaled(self) -> bool:
        """True when a z-score is among its parts."""
        return self.encoding in ("number", "calendar")


def derive_features(
    profiles: Mapping[str, ColumnProfile],
    features: Mapping[str, Any],
    config: TransformConfig,
    personal: Collection[str] = (),
) -> tuple[list[Derived], dict[str, str]]:
    """Decide for every column.

    Args:
        profiles: Columns of the train split without the label, in order.
        features: The user's overrides by column: `drop`, `number`, `category`, `hash` or `calendar`, or
            a mapping of `encoding`, `size` and `clip_share`.
        config: Where the lines are.
        personal: Columns that are left out unless `features` names them: a model holds what it learnt.

    Returns:
        The columns that enter, in order, and those that are left out with the reason.

    Raises:
        BadInputError: An override names no such column, or a setting that its kind cannot have; or no
            column is left.
    """
    require_known(features, list(profiles), where="parameter `features`")
    derived: list[Derived] = []
    dropped: dict[str, str] = {}
    for position, (column, profile) in enumerate(profiles.items()):
        named = column in features
        asked = read_override(column, features[column], profile.kind) if named else Override()
        reason = _reason_to_drop(profile, asked, named=named)
        if column in personal and not named:
            reason = "is personal, and `features` does not name it"
        encoding, why = (asked.encoding, "asked for") if asked.encoding else _choose(profile, config)
        if reason or encoding == "drop":
            dropped[column] = reason or ("asked for in `features`" if asked.encoding else why)
        else:
            chosen = cast(Encoding, encoding)
            one = _derive(column, position, profile, chosen, why, asked, config)
            derived.append(replace(one, personal=column in personal))
    require_any(derived, dropped)
    return derived, dropped


def require_any(derived: Sequence[Derived], dropped: Mapping[str, str]) -> None:
    """Refuse a table without any feature.

    Raises:
        BadInputError: `derived` is empty; the error tells why each column was dropped.
    """
    if not derived:
        reasons = "; ".join(f"{column}: {reason}" for column, reason in dropped.items())
        raise BadInputError("no column is left as a feature", where="examples", value=reasons)


def _reason_to_drop(profile: ColumnProfile, asked: Override, *, named: bool) -> str | None:
    if asked.encoding == "drop":
        return "asked for in `features`"
    if profile.present == 0:
        return "has no value in the train split"
    if not named and len(profile.distinct) == 1 and profile.present == profile.rows:
        return "is constant in the train split"
    return None


def _derive(
    column: str, position: int, profile: ColumnProfile, encoding: Encoding, why: str, asked: Override,
    config: TransformConfig,
) -> Derived:  # fmt: skip
    size = asked.size or {"category": config.max_vocabulary, "hash": config.hash_buckets}.get(encoding, 0)
    clip_share = config.clip_share if asked.clip_share is None else asked.clip_share
    scaled = encoding in ("number", "calendar")
    truncated = len(profile.distinct) > size
    return Derived(
        column=column, position=position, kind=profile.kind, encoding=encoding,
        size=size, truncated=truncated, clip_share=clip_share if scaled else 0.0,
        indicator=scaled and profile.present < profile.rows, why=why,
        warning=_warning(profile, size) if encoding == "category" and truncated else None,
    )  # fmt: skip


def _warning(profile: ColumnProfile, size: int) -> str:
    found = f"more than {MAX_VOCABULARY:,}" if profile.unlimited else f"{len(profile.distinct):,}"
    counted = "; their frequencies are estimates" if profile.unlimited else ""
    return f"has {found} distinct values; only the {size:,} most frequent have an index{counted}"


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

"""What a user says of one column's feature: read and checked, as far as possible before any data are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from components.common.artifacts import Kind
from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.transform.config import MAX_CLIP_SHARE, MAX_VOCABULARY, MIN_CLIP_SHARE

_ALLOWED: dict[Kind, tuple[str, ...]] = {
    "float": ("number",),
    "integer": ("number", "category", "hash"),
    "boolean": ("category", "number"),
    "string": ("category", "hash"),
    "date": ("calendar", "category", "hash"),
    "timestamp": ("calendar", "category", "hash"),
}
_ENCODINGS = ("drop", "number", "category", "hash", "calendar")


class Override(NamedTuple):
    """What the user asked for one column; None is derived."""

    encoding: str | None = None
    size: int | None = None
    clip_share: float | None = None


def check_overrides(features: Mapping[str, Any]) -> None:
    """Check overrides by column while neither the columns nor their kinds are known.

    Raises:
        BadInputError: A setting that no column can have; the column is named.
    """
    for column, value in features.items():
        read_override(column, value)


def read_override(column: str, value: Any, kind: Kind | None = None) -> Override:
    """Return what is asked for one column.

    Args:
        column: Its name.
        value: An encoding, or a mapping of `encoding`, `size` and `clip_share`.
        kind: The column's kind; None takes what any kind can have.

    Raises:
        BadInputError: It is neither, or a setting is unknown, or out of its range, or not for this kind.
    """
    where = f"parameter `features.{column}`"
    settings = {"encoding": value} if isinstance(value, str) else value
    if not isinstance(settings, Mapping):
        raise BadInputError("must be a word or a mapping", where=where, value=value)
    require_known(cast("Mapping[str, Any]", settings), Override._fields, where=where)
    asked = Override(**{key: whole(setting) for key, setting in settings.items()})
    if "encoding" in settings:
        _check_encoding(asked.encoding, kind, where)
    _check_size(asked, where)
    _check_clip_share(asked.clip_share, where)
    return asked


def _check_encoding(encoding: object, kind: Kind | None, where: str) -> None:
    allowed = ("drop", *_ALLOWED[kind]) if kind else _ENCODINGS
    if encoding not in allowed:
        fix = f"{f'a column of kind {kind} takes' if kind else 'one of'} {', '.join(allowed)}"
        raise BadInputError("unknown encoding", where=where, value=encoding, fix=fix)


def _check_size(asked: Override, where: str) -> None:
    if asked.size is not None and not (_is_number(asked.size, int) and asked.size >= 1):
        raise BadInputError("`size >= 1` must hold", where=where, value=asked.size)
    if asked.encoding != "hash" and (asked.size or 0) > MAX_VOCABULARY:
        fix = "hash the column, or ask for fewer entries"
        raise BadInputError(f"`size <= {MAX_VOCABULARY}` must hold", where=where, value=asked.size, fix=fix)


def _check_clip_share(share: float | None, where: str) -> None:
    if share is not None and not (
        _is_number(share, int, float) and (share == 0 or MIN_CLIP_SHARE <= share <= MAX_CLIP_SHARE)
    ):
        what = f"`{MIN_CLIP_SHARE} <= clip_share <= {MAX_CLIP_SHARE}`, or 0, must hold"
        raise BadInputError(what, where=where, value=share)


def _is_number(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)

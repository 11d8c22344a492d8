"""Columns that validation marked as personal: their values leave no trace in what is published."""

from __future__ import annotations

from collections.abc import Iterable

from components.common.errors import BadInputError


def refuse_personal(columns: Iterable[str], personal: frozenset[str], *, where: str) -> None:
    """Refuse to publish metrics by value of a personal column.

    Raises:
        BadInputError: A column is personal.
    """
    for column in columns:
        if column in personal:
            fix = "leave it out, or derive a coarser column from it that is not personal"
            what = f"`{column}` is personal: its values may not be published"
            raise BadInputError(what, where=where, fix=fix)

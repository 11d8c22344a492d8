"""Outcomes of an A/B test from a table, by who answered each user."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.serving.tables import Batch, read_batches, typed_cells

Groups = dict[str, dict[str, list[float]]]  # outcomes by user, by revision


def read_outcomes(file: Path, assigned: Callable[[str], str], *, key: str, outcome: str) -> Groups:
    """Read a table of outcomes, a row each.

    Args:
        file: `.csv` or `.parquet`.
        assigned: Tells which revision answers a user. A column `revision`, which the header
            `Millrace-Revision` of each answer fills, wins over it.
        key: Column of users: what the sticky header of their requests said.
        outcome: Column of numbers; yes and no are 1 and 0.

    Raises:
        BadInputError: The table cannot be read, lacks a column, or an outcome is missing or no number: its
            line is named.
    """
    groups: Groups = defaultdict(lambda: defaultdict(list))
    for batch in read_batches(file):
        for name in (key, outcome):
            if name not in batch.columns:
                known = ", ".join(batch.columns)
                raise BadInputError(f"the table has no column `{name}`", where=file, fix=f"it has {known}")
        users = [str(user) for user in batch.columns[key]]
        revisions = batch.columns.get("revision") or [assigned(user) for user in users]
        for user, revision, value in zip(users, revisions, _numbers(batch, outcome, file), strict=True):
            groups[str(revision)][user].append(value)
    return groups


def _numbers(batch: Batch, outcome: str, file: Path) -> list[float]:
    values: list[Any] = typed_cells(batch, outcome, "float")
    for line, value in zip(batch.lines, values, strict=True):
        if not isinstance(value, (int, float)) or value != value:  # the second is NaN
            where = f"{file}, column `{outcome}`, line {line}"
            raise BadInputError("an outcome must be a number", where=where, value=value)
    return [float(value) for value in values]

"""SQL in parameters, parsed before the first task; whether its names exist is for the task to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.common.errors import BadInputError


def check_query(query: object) -> None:
    """Refuse a `query` that is not one SELECT.

    Raises:
        BadInputError: It is no text, no SQL, another statement, or more than one.
    """
    _check_select(query, where="parameter `query`", fix="write a single SELECT over the names of `sources`")


def check_checks(options: Mapping[str, Any]) -> None:
    """Refuse checks in SQL that are not one SELECT each; their form has been checked.

    Args:
        options: The parameter `validation`.

    Raises:
        BadInputError: One is no SQL, another statement, or more than one; the check is named.
    """
    for name, check in options.get("checks", {}).items():
        fix = "write `SELECT count(*) FROM …`: 0 means that the check holds"
        sql = check["sql"] if isinstance(check, Mapping) else check
        _check_select(sql, where=f"parameter `validation.checks`, check `{name}`", fix=fix)


def _check_select(sql: object, *, where: str, fix: str) -> None:
    import duckdb  # a tenth of a second, for those who write SQL

    if not isinstance(sql, str):
        raise BadInputError("must be SQL", where=where, value=sql, fix=fix)
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    except duckdb.Error as error:
        told, _, place = str(error).partition("\n\nLINE ")
        line, _, text = place.partition("\n")[0].partition(": ")
        where, value = (f"{where}, line {line}", text.strip()) if text else (where, sql)
        raise BadInputError(f"no SQL: {told}", where=where, value=value, fix=fix) from error
    if kinds != [duckdb.StatementType.SELECT]:
        raise BadInputError("must be one SELECT", where=where, value=sql, fix=fix)

"""Whether a query can give other rows the next time, from DuckDB's own parse of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from components.common.errors import BadInputError

# What is written without parentheses and, unless a column is called so, is a function.
_BARE = frozenset(("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"))
# What DuckDB declares consistent, or does not judge since it is a macro or a table: clocks, SQL in text.
_UNDECLARED = frozenset((
    *_BARE, "ago", "current_localtime", "current_localtimestamp", "pg_conf_load_time",
    "pg_postmaster_start_time", "query",
))  # fmt: skip
_HARMLESS = frozenset(("error",))  # declared volatile so that it is not computed ahead of time
_UNSTABLE = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"


def require_repeatable(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse a query whose rows no version could describe.

    Args:
        connection: The database, with a view for each source.
        query: One SELECT.

    Raises:
        BadInputError: It calls a function of chance, of the clock or of the session, or takes a sample.
    """
    nodes = list(_walk(json.loads(_fetch(connection, "SELECT json_serialize_sql(?)", query)[0])))
    unstable = {*_fetch(connection, _UNSTABLE), *_UNDECLARED} - _HARMLESS
    columns = {name.lower() for name in _fetch(connection, "SELECT column_name FROM duckdb_columns()")}
    named = columns | {alias.lower() for node in nodes for alias in _aliases(node)}
    for node in nodes:
        if node.get("sample"):
            fix = "take rows by a column, such as `WHERE hash(id) % 10 = 0`"
            raise BadInputError("a sample differs from run to run", where="parameter `query`", fix=fix)
        if (name := _called(node)) in unstable and not (name in named and "column_names" in node):
            raise BadInputError(
                f"`{name}` gives other values from run to run", where="parameter `query`",
                fix="compute it outside, or pass a fixed value",
            )  # fmt: skip


def _called(node: dict[str, Any]) -> str:
    """Return the function that a node calls; a bare word counts when it may be one."""
    if node.get("function_name") == "age" and len(node.get("arguments", ())) == 1:
        return "current_date"  # what it counts to
    parts = node.get("column_names", ())
    bare = parts[0].lower() if len(parts) == 1 and isinstance(parts[0], str) else ""
    return str(node.get("function_name") or (bare if bare in _BARE else "")).lower()


def _aliases(node: dict[str, Any]) -> list[str]:
    return [node.get("alias") or "", *(node.get("column_name_alias") or ()), *(node.get("aliases") or ())]


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walk(inner)


def _fetch(connection: duckdb.DuckDBPyConnection, query: str, *values: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(query, values).fetchall()]

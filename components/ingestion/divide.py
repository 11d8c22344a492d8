"""The SQL that runs the query, puts each row into its split and gives it its place."""

# ruff: noqa: S608 - names and values are quoted by `identifier` and `literal`
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb

from components.common.artifacts import SPLITS
from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.ingestion.database import first_line, identifier, literal
from components.ingestion.query import RESULT, Column
from components.ingestion.split import SplitRule

SPLIT = '"#split"'

_ORDER = '"#order"'
_RESERVED = re.compile("#(split|order|result|cut[0-9]+)", re.IGNORECASE)
_STEPS = 1 << 32  # a row's share of the whole is counted in these


def select_split_rows(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], rule: SplitRule
) -> str:
    """Return the SQL that runs the query and gives its rows, with more columns, in their order.

    The rows stand by split and, in it, by the md5 of the row's text: shuffled, and the same for all files,
    threads and machines. With a hash split, the last 64 bits of the md5 of the key's text, over 2^64, are
    the row's share, which is compared with the rule's fractions.

    Args:
        connection: The database, after `create_result`.
        columns: Columns of the result.
        rule: The split rule.

    Returns:
        A SELECT of the columns; then `#cut0`, … for each timestamp: whether a fraction of a second is left
        out; then `#split`, the position of the split in `SPLITS`, or NULL for a row without a time.

    Raises:
        BadInputError: A column has a name that is used here, the rule names a column that is not there, or
            a bound is no value of its type.
    """
    names = [column.name for column in columns]
    for name in names:
        if _RESERVED.fullmatch(name):
            fix = "give it another name with AS in `query`"
            raise BadInputError(
                "a name kept for the split", where="the query's result", value=name, fix=fix
            )
    moments = [column for column in columns if column.kind == "timestamp"]
    cuts = {f'"#cut{at}"': column.is_cut() for at, column in enumerate(moments)}
    told = [f"{sql} AS {name}" for name, sql in cuts.items()]
    physical = ", ".join([*(column.physical() for column in columns), *told])
    order = f"md5_number({_text(columns)}) AS {_ORDER}"
    if rule.by == "time":
        require_known([str(rule.column)], names, where="split.column")
        split = _by_time(connection, columns[names.index(str(rule.column))], rule)
        rows = f"SELECT *, {order} FROM (SELECT {physical}, {split} AS {SPLIT} FROM {RESULT} AS raw)"
    else:
        key = names if rule.key is None else list(rule.key)
        require_known(key, names, where="split.key")
        digest = (
            _ORDER if key == names else f"md5_number({_text([columns[names.index(name)] for name in key])})"
        )
        inner = f"SELECT *, {order} FROM (SELECT {physical} FROM {RESULT} AS raw)"
        rows = f"SELECT *, {_by_hash(digest, rule)} AS {SPLIT} FROM ({inner})"
    kept = ", ".join([*map(identifier, names), *cuts, SPLIT])
    return f"SELECT {kept} FROM ({rows}) ORDER BY {SPLIT} NULLS FIRST, {_ORDER}"


def check_split_rows(rows: Mapping[str, int], without: int, rule: SplitRule, *, allow_empty: bool) -> None:
    """Judge the rows of each split.

    Args:
        rows: How many there are, by split.
        without: How many have no value to split by.
        rule: The split rule.
        allow_empty: Whether a split may have none.

    Raises:
        BadInputError: A split has no rows although that is not allowed, or a row has no time.
    """
    if without:
        what, fix = f"{without} rows have no value to split by", "filter them in `query`"
        raise BadInputError(what, where=f"column `{rule.column}`", fix=fix)
    empty = [split for split in SPLITS if not rows[split]]
    if empty and not allow_empty:
        by_hash, by_time = (
            "give more rows that differ, or other fractions",
            "move `eval_from` and `test_from`",
        )
        fix = by_hash if rule.by == "hash" else by_time
        where = "parameter `split`"
        raise BadInputError(f"split `{empty[0]}` is empty", where=where, value=dict(rows), fix=fix)


def _text(columns: Sequence[Column]) -> str:
    return "concat(" + ", ".join(column.text() for column in columns) + ")"


def _by_hash(digest: str, rule: SplitRule) -> str:
    shares = rule.shares()
    first = round(shares["train"] * _STEPS)
    second = round((shares["train"] + shares["eval"]) * _STEPS)
    step = f"({digest} >> 96)"  # the last 32 of its bits, which stand first in DuckDB's number
    return f"CASE WHEN {step} < {first} THEN 0 WHEN {step} < {second} THEN 1 ELSE 2 END"


def _by_time(connection: duckdb.DuckDBPyConnection, column: Column, rule: SplitRule) -> str:
    first = _bound(column, "eval_from", rule.eval_from)
    second = _bound(column, "test_from", rule.test_from)
    try:
        ordered = connection.execute(f"SELECT {first} < {second}").fetchall()[0][0]
    except duckdb.Error as error:
        where, fix = "split.eval_from, split.test_from", f"write values of type {column.type}"
        raise BadInputError(first_line(error), where=where, fix=fix) from error
    if not ordered:
        value = {"eval_from": rule.eval_from, "test_from": rule.test_from}
        raise BadInputError("`eval_from < test_from` must hold", where="parameter `split`", value=value)
    name = f"raw.{identifier(column.name)}"
    return (
        f"CASE WHEN {name} IS NULL THEN NULL WHEN {name} < {first} THEN 0 "
        f"WHEN {name} < {second} THEN 1 ELSE 2 END"
    )


def _bound(column: Column, key: str, value: str | int | float | None) -> str:
    plain = whole(value)
    if column.kind == "integer" and isinstance(plain, float):  # a cast would round it
        raise BadInputError("must be a whole number, as its column", where=f"split.{key}", value=plain)
    return f"CAST({literal(str(plain))} AS {column.type})"

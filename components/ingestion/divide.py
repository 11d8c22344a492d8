"""The SQL that puts each row into its split and gives it its place."""

# ruff: noqa: S608 - names and values are quoted by `identifier` and `literal`
from __future__ import annotations

from collections.abc import Sequence

import duckdb

from components.common.artifacts import SPLITS
from components.common.config import require_known, whole
from components.common.errors import BadInputError
from components.ingestion.database import first_line, identifier, literal
from components.ingestion.query import Column, create_rows
from components.ingestion.split import SplitRule

ORDER, SPLIT = '"#order"', '"#split"'

_STEPS = 1 << 32  # a row's share of the whole is counted in these


def split_rows(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column], rule: SplitRule) -> None:
    """Run the query into the table `rows`, with two more columns: `#order` to sort by, and `#split`.

    The order is the md5 of the row's text: that of a shuffle, whatever files, threads or machine.
    With a hash split, the last 64 bits of the md5 of the key's text, over 2^64, are the row's share,
    which is compared with the rule's fractions.

    Args:
        connection: The database, after `create_result`.
        columns: Columns of the result.
        rule: The split rule.

    Raises:
        BadInputError: The rule names a column that is not there, a bound is no value of its type, or
            the query fails.
        UnavailableError: Room ran out.
    """
    names = [column.name for column in columns]
    order = f"md5_number({_text(columns)}) AS {ORDER}"
    if rule.by == "time":
        require_known([str(rule.column)], names, where="split.column")
        column = columns[names.index(str(rule.column))]
        split = f"{_by_time(connection, column, rule)} AS {SPLIT}"
        create_rows(connection, columns, before=[split], after=[order])
    else:
        key = names if rule.key is None else list(rule.key)
        require_known(key, names, where="split.key")
        split = f"{_by_hash([columns[names.index(name)] for name in key], rule)} AS {SPLIT}"
        create_rows(connection, columns, before=[], after=[order, split])


def count_rows(
    connection: duckdb.DuckDBPyConnection, rule: SplitRule, *, allow_empty: bool
) -> dict[str, int]:
    """Count the rows of each split in the table `rows`.

    Raises:
        BadInputError: A split has no rows although that is not allowed, or a row has no time.
    """
    counted = dict(connection.execute(f"SELECT {SPLIT}, count(*) FROM rows GROUP BY 1").fetchall())
    if missing := counted.pop(None, 0):
        fix = "filter them in `query`"
        raise BadInputError(
            f"{missing} rows have no value to split by", where=f"column `{rule.column}`", fix=fix
        )
    rows = {split: int(counted.get(split, 0)) for split in SPLITS}
    empty = [split for split in SPLITS if not rows[split]]
    if empty and not allow_empty:
        fix = (
            "give more rows, or other fractions"
            if rule.by == "hash"
            else "move `eval_from` and `test_from`"
        )
        raise BadInputError(f"split `{empty[0]}` is empty", where="parameter `split`", value=rows, fix=fix)
    return rows


def _text(columns: Sequence[Column]) -> str:
    return "concat(" + ", ".join(column.text() for column in columns) + ")"


def _by_hash(columns: Sequence[Column], rule: SplitRule) -> str:
    shares = rule.shares()
    first = round(shares["train"] * _STEPS)
    second = round((shares["train"] + shares["eval"]) * _STEPS)
    step = f"(md5_number_lower({_text(columns)}) // {_STEPS})"
    return f"CASE WHEN {step} < {first} THEN 'train' WHEN {step} < {second} THEN 'eval' ELSE 'test' END"


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
        f"CASE WHEN {name} IS NULL THEN NULL WHEN {name} < {first} THEN 'train' "
        f"WHEN {name} < {second} THEN 'eval' ELSE 'test' END"
    )


def _bound(column: Column, key: str, value: str | int | float | None) -> str:
    plain = whole(value)
    if column.kind == "integer" and isinstance(plain, float):  # a cast would round it
        raise BadInputError("must be a whole number, as its column", where=f"split.{key}", value=plain)
    return f"CAST({literal(str(plain))} AS {column.type})"

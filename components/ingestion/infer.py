"""What kind of values a CSV column holds, decided by all of its values and never by some of them."""

# ruff: noqa: S608 - names and values are quoted by `identifier` and `literal`
from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from components.ingestion.database import identifier

# Each cell is of exactly one class. Digits behind a zero are a code, not a number: 00501 stays itself.
_NULL, _INTEGER, _FLOAT, _HUGE, _CODE, _DATE, _TIMESTAMP, _BOOLEAN, _TEXT = range(9)
_ALLOWED = {
    "integer": {_INTEGER},
    "boolean": {_BOOLEAN},
    "date": {_DATE},
    "timestamp": {_DATE, _TIMESTAMP},
    "float": {_INTEGER, _FLOAT},
}
_NUMBER = "[+-]?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?|(?i:nan|[+-]?inf(inity)?)"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLASS = f"""CASE
    WHEN @ IS NULL THEN {_NULL}
    WHEN @ >= '-' AND @ < ':' AND TRY_CAST(@ AS BIGINT)::VARCHAR = @ THEN {_INTEGER}
    WHEN @ < '+' OR (@ >= ':' AND lower(@) NOT IN ('nan', 'inf', 'infinity', 'true', 'false')) THEN {_TEXT}
    WHEN substr(@, 5, 1) = '-' AND strlen(@) = 10 AND regexp_full_match(@, '{_DAY}')
        AND TRY_CAST(@ AS DATE) IS NOT NULL THEN {_DATE}
    WHEN substr(@, 5, 1) = '-' AND regexp_full_match(@, '{_DAY}[ T][0-9]{{2}}:[0-9]{{2}}.*')
        AND TRY_CAST(@ AS TIMESTAMPTZ) IS NOT NULL THEN {_TIMESTAMP}
    WHEN regexp_full_match(@, '{_NUMBER}') THEN CASE
        WHEN regexp_matches(@, '[eE]') AND isinf(TRY_CAST(@ AS DOUBLE)) THEN {_TEXT}
        WHEN regexp_matches(@, '[.eEnN]') THEN {_FLOAT}
        WHEN TRY_CAST(@ AS BIGINT) IS NOT NULL THEN {_INTEGER} ELSE {_HUGE} END
    WHEN regexp_full_match(@, '[+-]?[0-9]+') THEN {_CODE}
    WHEN lower(@) IN ('true', 'false') THEN {_BOOLEAN}
    ELSE {_TEXT} END"""  # @ stands for the column; cheap tests stand first: failing casts are slow
_CASTS = {
    "integer": "CAST(@ AS BIGINT)",
    "float": "CAST(@ AS DOUBLE)",
    "boolean": "CAST(@ AS BOOLEAN)",
    "date": "CAST(@ AS DATE)",
    "timestamp": "timezone('UTC', CAST(@ AS TIMESTAMPTZ))",
    "string": "@",
}
_AT_ONCE = 25  # columns; each takes about 2 MiB in each of the database's threads
_STRAY_SHARE = 0.1  # up to this share, values of another kind are taken for mistakes


@dataclass(frozen=True)
class Stray:
    """A value that breaks the kind of its column.

    Attributes:
        column: The column.
        kind: What the column holds otherwise, or was declared to hold.
        value: The first such value.
        count: How many there are.
        rows: Values in the column that are not missing.
    """

    column: str
    kind: str
    value: str
    count: int
    rows: int


def infer_kinds(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[str],
    declared: Mapping[str, str],
) -> dict[str, str] | Stray:
    """Decide the kind of each column of a relation of strings.

    A column is of a kind when all its values are: whole numbers within 64 bits, numbers (whole ones
    beyond 64 bits lose digits as floats, and are taken only where float is declared), true/false,
    `YYYY-MM-DD`, or timestamps of ISO 8601. If one value in ten or fewer is of another kind, it is
    taken for a mistake and returned instead of a silent column of strings; if more, the column is
    one of strings. A column of missing values alone is one of strings.

    Args:
        connection: The database.
        relation: SQL of the relation.
        columns: Its columns, all VARCHAR.
        declared: Kinds that shall not be inferred, by column.

    Returns:
        The kind of each column, or the first stray value.

    Raises:
        duckdb.Error: A file of the relation cannot be parsed.
    """
    kinds: dict[str, str] = {}
    for column, counts in _count_classes(connection, relation, columns).items():
        kinds[column] = declared.get(column) or _decide(counts)
        allowed = _ALLOWED.get(kinds[column], {*counts})
        if column in declared and kinds[column] in ("integer", "float"):
            allowed = {*allowed, _CODE, *({_HUGE} if kinds[column] == "float" else ())}
        if strays := sum(count for key, count in counts.items() if key not in allowed):
            outside = f"{_class_of(column)} NOT IN ({', '.join(map(str, {_NULL, *allowed}))})"
            value = _first(connection, relation, column, outside)
            return Stray(column, kinds[column], value, strays, sum(counts.values()))
    return kinds


def infer_dates(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> dict[str, str]:
    """Return `date` or `timestamp` for those columns of text whose values all are; others are left out."""
    dates = {frozenset({_DATE}): "date", frozenset({_TIMESTAMP}): "timestamp"}
    dates[frozenset({_DATE, _TIMESTAMP})] = "timestamp"
    counted = _count_classes(connection, relation, columns)
    return {
        column: dates[frozenset(counts)] for column, counts in counted.items() if frozenset(counts) in dates
    }


def infer_values(values: Collection[str]) -> str:
    """Return the kind of the values that folders' names hold: `integer`, `date` or `string`."""
    values = {
        value for value in values if value != "__HIVE_DEFAULT_PARTITION__"
    }  # Hive's way to say missing
    if all(re.fullmatch("0|-?[1-9][0-9]{0,17}", value) for value in values):
        return "integer"
    if all(re.fullmatch(_DAY, value) and _is_day(value) for value in values):
        return "date"
    return "string"


def groups_of(columns: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut columns into groups, each of which is judged in one reading: a judgement takes room by column."""
    for start in range(0, len(columns), _AT_ONCE):
        yield columns[start : start + _AT_ONCE]


def typed(column: str, kind: str) -> str:
    """Return the SQL that reads a column of strings as its kind, under its name."""
    name = identifier(column)
    return f"{_CASTS[kind].replace('@', name)} AS {name}"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _class_of(column: str) -> str:
    return _CLASS.replace("@", identifier(column))


def _count_classes(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> dict[str, dict[int, int]]:
    """Count the values of each class that are not missing."""
    counted: dict[str, dict[int, int]] = {}
    for some in groups_of(columns):
        counts = ", ".join(f"histogram({_class_of(column)})" for column in some)
        row = connection.execute(f"SELECT {counts} FROM {relation}").fetchall()[0]
        for column, histogram in zip(some, row, strict=True):
            found = {int(key): int(value) for key, value in (histogram or {}).items()}
            counted[column] = {key: value for key, value in found.items() if key != _NULL}
    return counted


def _decide(counts: Mapping[int, int]) -> str:
    total = sum(counts.values())
    if counts.get(_CODE) and sum(counts.get(key, 0) for key in (_CODE, _INTEGER, _HUGE)) == total:
        return "string"
    fitting = {kind: sum(counts.get(key, 0) for key in allowed) for kind, allowed in _ALLOWED.items()}
    if not counts.get(_FLOAT):  # whole numbers only: one beyond 64 bits must not turn them into floats
        fitting["float"] = 0
    best = max(fitting, key=lambda kind: fitting[kind])
    if total == 0 or fitting[best] < total * (1 - _STRAY_SHARE):
        return "string"
    return best


def _first(connection: duckdb.DuckDBPyConnection, relation: str, column: str, condition: str) -> str:
    name = identifier(column)
    rows = connection.execute(f"SELECT {name} FROM {relation} WHERE {condition} LIMIT 1").fetchall()
    return str(rows[0][0])

"""JSON lines: one object a line, each key of one type in all of them."""

# ruff: noqa: S608 - names and values are quoted by `identifier` and `literal`
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from components.common.errors import BadInputError
from components.ingestion.database import identifier, literal
from components.ingestion.diagnose_lines import explain_lines, find_line
from components.ingestion.infer import Stray, groups_of, infer_dates, infer_kinds, typed
from components.ingestion.scan import ScannedFile, check_columns

_MOST_BYTES = 16 << 20  # of one line
_WHOLE = {"BIGINT", "UBIGINT"}
_SCALAR = {*_WHOLE, "DOUBLE", "HUGE", "VARCHAR", "BOOLEAN"}
_ALLOWED = {
    "integer": _WHOLE, "float": {*_WHOLE, "DOUBLE"}, "boolean": {"BOOLEAN"}, "string": {"VARCHAR"},
    "nested": {"ARRAY", "OBJECT"},
}  # fmt: skip
_DECLARED = {**_ALLOWED, "string": _SCALAR, "date": {"VARCHAR"}, "timestamp": {"VARCHAR"}}
_READ = {"integer": "BIGINT", "float": "DOUBLE", "boolean": "BOOLEAN", "nested": "JSON"}


def select_lines(
    connection: duckdb.DuckDBPyConnection, files: Sequence[ScannedFile], declared: Mapping[str, str]
) -> str:
    """Return the SQL that reads JSON lines with a type for each key.

    Args:
        connection: The database.
        files: The files of one source.
        declared: Kinds that shall not be inferred, by column.

    Returns:
        A SELECT. A key that some lines lack is missing there. Text that is a date or a timestamp in all
        lines is one; nested values stay JSON, which the query may take apart.

    Raises:
        BadInputError: A line is no object or has a key twice, or values of a key differ in type.
    """
    paths = f"[{', '.join(literal(str(file.path)) for file in files)}]"
    size = f"maximum_object_size = {_MOST_BYTES}"
    objects = f"read_ndjson_objects({paths}, {size})"
    try:
        columns = _columns(connection, objects, files)
        kinds = _kinds(connection, objects, files, columns, declared)
        struct = ", ".join(
            f"{literal(name)}: '{_READ.get(kind, 'VARCHAR')}'" for name, kind in kinds.items()
        )
        relation = f"read_json({paths}, format = 'newline_delimited', columns = {{{struct}}}, {size})"
        kinds |= _dates(connection, relation, files, kinds, declared)
    except duckdb.Error as error:
        raise explain_lines(files, error) from error
    return f"SELECT {', '.join(_select(name, kind) for name, kind in kinds.items())} FROM {relation}"


def _columns(
    connection: duckdb.DuckDBPyConnection, objects: str, files: Sequence[ScannedFile]
) -> list[str]:
    keys = "json_keys(json)"
    bad = f"json_type(json) <> 'OBJECT' OR len({keys}) <> len(list_distinct({keys}))"
    if connection.execute(f"SELECT 1 FROM {objects} WHERE {bad} LIMIT 1").fetchall():
        raise explain_lines(files, None)
    rows = connection.execute(f"SELECT DISTINCT unnest({keys}) AS k FROM {objects} ORDER BY k").fetchall()
    columns = [str(row[0]) for row in rows]
    check_columns(columns, files[0].source.uri)
    return columns


def _kinds(
    connection: duckdb.DuckDBPyConnection, objects: str, files: Sequence[ScannedFile],
    columns: Sequence[str], declared: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    row: list[Any] = []
    for some in groups_of(columns):
        counts = ", ".join(f"histogram({_type(column)})" for column in some)
        row += connection.execute(f"SELECT {counts} FROM {objects}").fetchall()[0]
    kinds: dict[str, str] = {}
    for column, histogram in zip(columns, row, strict=True):
        counted = {str(key): int(value) for key, value in (histogram or {}).items() if key != "NULL"}
        kinds[column] = declared.get(column) or _decide(counted)
        allowed = (_DECLARED if column in declared else _ALLOWED)[kinds[column]]
        if strays := sum(count for key, count in counted.items() if key not in allowed):
            outside = ", ".join(literal(key) for key in counted if key not in allowed)
            where = f"WHERE {_type(column)} IN ({outside}) LIMIT 1"
            found = connection.execute(
                f"SELECT json -> {_pointer(column)} FROM {objects} {where}"
            ).fetchall()
            text = str(found[0][0])
            raise _explain(files, Stray(column, kinds[column], text, strays, sum(counted.values())))
    return kinds


def _dates(
    connection: duckdb.DuckDBPyConnection, relation: str, files: Sequence[ScannedFile],
    kinds: Mapping[str, str], declared: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    given = {
        name: kind for name, kind in declared.items() if name in kinds and kind in ("date", "timestamp")
    }
    checked = infer_kinds(connection, relation, list(given), given)
    if isinstance(checked, Stray):
        raise _explain(files, checked)
    texts = [name for name, kind in kinds.items() if kind == "string" and name not in declared]
    return {**infer_dates(connection, relation, texts), **checked}


def _decide(counts: Mapping[str, int]) -> str:
    """Return the kind that most values have; a number with a point makes all numbers floats."""
    fitting = {kind: sum(counts.get(key, 0) for key in keys) for kind, keys in _ALLOWED.items()}
    if "DOUBLE" not in counts:
        del fitting["float"]
    return max(fitting, key=lambda kind: fitting[kind]) if counts else "string"


def _type(column: str) -> str:
    """Return the SQL of a value's type; `HUGE` is a number beyond 64 bits, NULL what is absent."""
    pointer = _pointer(column)
    kind, text = f"json_type(json, {pointer})", f"CAST(json -> {pointer} AS VARCHAR)"
    return (
        f"CASE WHEN {kind} IN ('UBIGINT', 'BIGINT') AND TRY_CAST({text} AS BIGINT) IS NULL THEN 'HUGE' "
        f"WHEN {kind} = 'DOUBLE' AND NOT regexp_matches({text}, '[.eE]') THEN 'HUGE' "
        f"WHEN {kind} = 'DOUBLE' AND regexp_matches({text}, '[eE]') AND isinf(TRY_CAST({text} AS DOUBLE)) "
        "THEN 'HUGE' "
        f"ELSE {kind} END"
    )


def _pointer(column: str) -> str:
    return literal(f"/{column.replace('~', '~0').replace('/', '~1')}")


def _select(name: str, kind: str) -> str:
    return typed(name, kind) if kind in ("date", "timestamp") else identifier(name)


def _explain(files: Sequence[ScannedFile], stray: Stray) -> BadInputError:
    what = f"column `{stray.column}` holds {stray.kind} values but for {stray.count} of {stray.rows}"
    fix = f"correct it, or set `ingestion.types: {{{stray.column}: string}}`"
    return BadInputError(what, where=find_line(files, stray), value=stray.value, fix=fix)

"""What one SELECT over a file of SQLite gives, as Parquet, batch by batch."""

# ruff: noqa: S608 - the query is the user's own, for the user's own database
from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from components.common.errors import BadInputError, ComponentError, UnavailableError
from components.ingestion.convert import write_parquet
from components.ingestion.database import identifier
from components.ingestion.sources import split_scheme

_BATCH_ROWS = 16_384
_TYPES = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "null": pa.string()}
_READING = {
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE
}  # fmt: skip


def read_sqlite(uri: str, query: str, as_of: object, target: Path, *, where: str) -> Path:
    """Run one SELECT, twice: for the types of its values, and for its rows.

    Args:
        uri: A path, or `sqlite:////path`.
        query: The SELECT.
        as_of: Value of `:as_of` in it.
        target: The file to write.
        where: The source, for errors.

    Returns:
        The file.

    Raises:
        BadInputError: The file is not there or no database; the query is wrong or no SELECT; or a column
            holds values of several types, or a whole number among floats that no float holds.
        UnavailableError: The database is locked.
    """
    address = f"file:{quote(str(_path(uri, where)))}?mode=ro"
    values = {"as_of": as_of}
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("BEGIN")  # both readings see one state
            connection.set_authorizer(_authorize)
            rows = connection.execute(query, values)
            names = [str(column[0]) for column in rows.description or ()]
            if len({name.lower() for name in names}) < len(names):
                raise BadInputError(f"duplicate column names: {', '.join(names)}", where=where)
            kinds = _kinds(connection, query, values, names)
            schema = pa.schema([(name, _type(name, kinds[name], where)) for name in names])
            return write_parquet(_batches(rows, schema, where), schema, target)
    except sqlite3.Error as error:
        raise _told(error, where) from error


def _authorize(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _told(error: sqlite3.Error, where: str) -> ComponentError:
    if "locked" in str(error):
        return UnavailableError("the database is locked", where=where, fix="run again")
    if "not authorized" in str(error):
        fix = "write a single SELECT, and no other statement"
        return BadInputError("must be one SELECT that only reads", where=where, fix=fix)
    if isinstance(error, sqlite3.OperationalError):
        return BadInputError(f"the query fails: {error}", where=where, fix="correct the SQL")
    fix = "correct the SQL, or the path"
    return BadInputError(f"the database refuses: {error}", where=where, fix=fix)


def _path(uri: str, where: str) -> Path:
    scheme, rest = split_scheme(uri)
    path = Path(uri) if scheme == "file" and "://" not in uri else Path(rest.removeprefix("/"))
    if not path.is_absolute():
        fix = "write an absolute path: sqlite:////data/shop.db"
        raise BadInputError("not an absolute path", where=where, value=uri, fix=fix)
    if not path.is_file():
        raise BadInputError("file does not exist", where=where, value=str(path), fix="correct the path")
    return path


def _kinds(
    connection: sqlite3.Connection, query: str, values: dict[str, object], names: Sequence[str]
) -> dict[str, set[str]]:
    """Return the types that the values of each column have, in one reading: SQLite promises none."""
    asked = ", ".join(f"group_concat(DISTINCT typeof({identifier(name)}))" for name in names) or "*"
    row = connection.execute(f"SELECT {asked} FROM ({query}\n)", values).fetchone()
    return {
        name: set(str(told or "null").split(",")) - {"null"} for name, told in zip(names, row, strict=True)
    }


def _type(name: str, kinds: set[str], where: str) -> Any:
    if kinds == {"integer", "real"}:
        return pa.float64()
    if len(kinds) > 1 or "blob" in kinds:
        fix, value = "cast it in the source's query, or leave it out", ", ".join(sorted(kinds))
        what = f"column `{name}` holds values of types not to be mixed or kept"
        raise BadInputError(what, where=where, value=value, fix=fix)
    return _TYPES[next(iter(kinds), "null")]


def _batches(rows: sqlite3.Cursor, schema: Any, where: str) -> Iterator[Any]:
    while taken := rows.fetchmany(_BATCH_ROWS):
        columns = zip(*taken, strict=True)
        arrays = [_array(values, field, where) for values, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], field: Any, where: str) -> Any:
    try:
        return pa.array(values, field.type)
    except pa.ArrowException as error:
        what = f"column `{field.name}` holds a value that no {field.type} holds: {error}"
        raise BadInputError(what, where=where, fix="cast it in the source's query") from error

"""What a query of a database gives, as Parquet, batch by batch."""

# ruff: noqa: S608 - the query is the user's own, for the user's own database
from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa

from components.common.config import whole
from components.common.errors import BadInputError, UnavailableError
from components.ingestion.convert import write_parquet
from components.ingestion.credentials import conceal, reveal
from components.ingestion.database import identifier, literal
from components.ingestion.sources import AS_OF, Source, split_scheme

_BATCH_ROWS = 16_384
_LITERS = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "null": pa.string()}


def read_query(source: Source, target: Path, *, where: str, timeout_seconds: int) -> Path:
    """Run a source's query, which may read and not write, and write its rows as Parquet.

    Args:
        source: A database; its credentials are followed here.
        target: The file to write.
        where: The source, for errors.
        timeout_seconds: Longest wait for a connection.

    Returns:
        The file.

    Raises:
        BadInputError: A credential is not there, the database refuses it or the query, or a column of
            SQLite holds values of several types.
        UnavailableError: The database does not answer.
    """
    query = AS_OF.sub(lambda _: literal(str(whole(source.as_of))), str(source.query)).strip().rstrip(";")
    if source.scheme == "sqlite":
        return _read_sqlite(_sqlite_path(source.uris[0], where), query, target, where)
    return _read_postgresql(source, query, target, where, timeout_seconds)


def _read_postgresql(source: Source, query: str, target: Path, where: str, timeout_seconds: int) -> Path:
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi  # a native library; seldom needed

    secrets = reveal(source.credentials, where=where)
    try:
        url = _with_secrets(source.uris[0], secrets, timeout_seconds)
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            connection.commit()
            cursor.execute(query)
            reader = cursor.fetch_record_batch()
            schema = pa.schema([_plain(field) for field in reader.schema])
            return write_parquet((batch.cast(schema) for batch in _storage(reader)), schema, target)
    except Error as error:
        raise _database_error(error, conceal(str(error), secrets), where) from error


def _database_error(error: Any, told: str, where: str) -> BadInputError | UnavailableError:
    """Tell a mistake from a database that is away, by the class of its SQLSTATE."""
    state, line = str(error.sqlstate or ""), told.strip().splitlines()[0]
    refused = re.search(
        r"authentication failed|does not exist|no password supplied|permission denied", line
    )
    if refused or (state and state[:2] not in ("08", "53", "57", "58")):
        fix = "correct the query, the address or the credentials"
        return BadInputError(f"the database refuses: {line}", where=where, fix=fix)
    return UnavailableError(f"the database failed: {line}", where=where, fix="run again when it answers")


def _with_secrets(uri: str, secrets: Mapping[str, str], timeout_seconds: int) -> str:
    parts = urlsplit(uri)
    user, _, host = parts.netloc.rpartition("@")
    user = quote(secrets["user"], safe="") if "user" in secrets else user
    password = f":{quote(secrets['password'], safe='')}" if "password" in secrets else ""
    options = (
        parts.query
        if "connect_timeout" in parts.query
        else f"{parts.query}&connect_timeout={timeout_seconds}"
    )
    login = f"{user}{password}@" if user or password else ""
    return f"postgresql://{login}{host}{parts.path}?{options.lstrip('&')}"


def _plain(field: Any) -> Any:
    """Return a field as Parquet keeps it: numeric as float64, what else travels as text as string."""
    kind = getattr(field.type, "storage_type", None)
    if kind is None:
        return field.remove_metadata()
    numeric = getattr(field.type, "type_name", "") == "numeric"
    uuid = pa.types.is_fixed_size_binary(kind)
    return pa.field(field.name, pa.float64() if numeric else pa.string() if uuid else kind)


def _storage(reader: Any) -> Iterator[Any]:
    for batch in reader:
        columns = [_stored(column) for column in batch.columns]
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _stored(column: Any) -> Any:
    storage = getattr(column, "storage", column)
    if storage is not column and pa.types.is_fixed_size_binary(storage.type):
        return pa.array(
            [None if value is None else str(value) for value in column.to_pylist()], pa.string()
        )
    return storage


def _sqlite_path(uri: str, where: str) -> Path:
    scheme, rest = split_scheme(uri)
    path = Path(uri) if scheme == "file" and "://" not in uri else Path(rest.removeprefix("/"))
    if not path.is_absolute():
        fix = "write an absolute path: sqlite:////data/shop.db"
        raise BadInputError("not an absolute path", where=where, value=uri, fix=fix)
    if not path.is_file():
        raise BadInputError("file does not exist", where=where, value=str(path), fix="correct the path")
    return path


def _read_sqlite(path: Path, query: str, target: Path, where: str) -> Path:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            connection.execute("BEGIN")
            names = [str(column[0]) for column in connection.execute(query).description]
            if len({name.lower() for name in names}) < len(names):
                raise BadInputError(f"duplicate column names: {', '.join(names)}", where=where)
            schema = pa.schema([(name, _sqlite_type(connection, query, name, where)) for name in names])
            cursor = connection.execute(query)
            return write_parquet(_sqlite_batches(cursor, schema), schema, target)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise UnavailableError("the database is locked", where=where, fix="run again") from error
        raise BadInputError(f"the query fails: {error}", where=where, fix="correct the SQL") from error
    except sqlite3.Error as error:
        fix = "correct the SQL, or the path"
        raise BadInputError(f"the database refuses: {error}", where=where, fix=fix) from error


def _sqlite_type(connection: sqlite3.Connection, query: str, name: str, where: str) -> Any:
    """Return the one type that all values of a column have: SQLite does not promise it."""
    asked = f"SELECT DISTINCT typeof({identifier(name)}) FROM ({query})"
    kinds = {str(row[0]) for row in connection.execute(asked)} - {"null"}
    if kinds == {"integer", "real"}:
        return pa.float64()
    if len(kinds) > 1 or "blob" in kinds:
        fix = "cast it in the source's query, or leave it out"
        value = ", ".join(sorted(kinds))
        raise BadInputError(
            f"column `{name}` holds values of types not to be mixed or kept",
            where=where,
            value=value,
            fix=fix,
        )
    return _LITERS[kinds.pop() if kinds else "null"]


def _sqlite_batches(cursor: sqlite3.Cursor, schema: Any) -> Iterator[Any]:
    while rows := cursor.fetchmany(_BATCH_ROWS):
        columns = zip(*rows, strict=True)
        arrays = [pa.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)

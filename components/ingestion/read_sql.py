"""What a query of a database gives, as Parquet, batch by batch."""

# ruff: noqa: S608 - the query is the user's own, for the user's own database
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa

from components.common.config import whole
from components.common.errors import BadInputError, UnavailableError
from components.ingestion.convert import require_kept, write_parquet
from components.ingestion.credentials import conceal, reveal
from components.ingestion.database import literal
from components.ingestion.read_sqlite import read_sqlite
from components.ingestion.sources import AS_OF, Source

_AS_OF = re.compile(rf"'[^']*'|\"[^\"]*\"|--[^\n]*|(?P<as_of>{AS_OF.pattern})")
_AWAY = re.compile(
    r"FATAL:|server closed the connection|canceling statement|terminating|could not (write|extend)"
)
_DAYS = (date(1, 1, 1) - date(1970, 1, 1)).days, (date(9999, 12, 31) - date(1970, 1, 1)).days
_DAY_TICKS = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def read_query(source: Source, target: Path, *, where: str, timeout_seconds: int) -> Path:
    """Run a source's query, one SELECT that may read and not write, and write its rows as Parquet.

    Args:
        source: A database; its credentials are followed here.
        target: The file to write.
        where: The source, for errors.
        timeout_seconds: Longest wait for a connection.

    Returns:
        The file.

    Raises:
        BadInputError: A credential is not there, the database refuses it or the query, a column is of a
            type that is not kept, a date is infinite, or a column of SQLite holds values of several types.
        UnavailableError: The database does not answer.
    """
    query = str(source.query).strip().rstrip(";")
    if source.scheme == "sqlite":
        return read_sqlite(source.uris[0], query, whole(source.as_of), target, where=where)
    wrapped = f"SELECT * FROM ({_set_as_of(query, whole(source.as_of))}\n) AS q"  # a query, nothing else
    return _read_postgresql(source, wrapped, target, where, timeout_seconds)


def _set_as_of(query: str, value: object) -> str:
    """Put the value for `:as_of`, but not within quotes and comments: a number stays one."""
    text = literal(value) if isinstance(value, str) else f"({value})"
    return _AS_OF.sub(lambda found: text if found["as_of"] else found[0], query)


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
            require_kept(schema, where)
            return write_parquet((batch.cast(schema) for batch in _storage(reader, where)), schema, target)
    except Error as error:
        raise _database_error(error, conceal(str(error), secrets), where) from error
    except (OSError, pa.ArrowException) as error:  # what the driver says while rows come
        if getattr(error, "errno", None) is not None:
            raise  # what the disk says, which `publishing` tells
        raise _row_error(conceal(str(error), secrets), where) from error


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


def _row_error(told: str, where: str) -> BadInputError | UnavailableError:
    line = told.strip().splitlines()[0]
    if _AWAY.search(line):
        return UnavailableError(
            f"the database failed: {line}", where=where, fix="run again when it answers"
        )
    return BadInputError(f"the query fails: {line}", where=where, fix="correct the SQL")


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


def _storage(reader: Any, where: str) -> Iterator[Any]:
    for batch in reader:
        columns = [_stored(column) for column in batch.columns]
        for name, column in zip(batch.schema.names, columns, strict=True):
            _require_years(name, column, where)
        yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _stored(column: Any) -> Any:
    storage = getattr(column, "storage", column)
    if storage is not column and pa.types.is_fixed_size_binary(storage.type):
        return pa.array(
            [None if value is None else str(value) for value in column.to_pylist()], pa.string()
        )
    return storage


def _require_years(name: str, column: Any, where: str) -> None:
    """Refuse `infinity` and years that ISO 8601 does not write; they come as numbers that wrap."""
    if pa.types.is_date32(column.type):
        ticks, numbers = 1, column.cast(pa.int32())
    elif pa.types.is_timestamp(column.type):
        ticks, numbers = _DAY_TICKS[column.type.unit], column.cast(pa.int64())
    else:
        return
    first, end = _DAYS[0] * ticks, (_DAYS[1] + 1) * ticks
    if any(value is not None and not first <= value < end for value in numbers.to_pylist()):
        fix = "leave such rows out in the source's query, or make them NULL"
        raise BadInputError(
            f"column `{name}` holds `infinity` or a year beyond 1 to 9999", where=where, fix=fix
        )

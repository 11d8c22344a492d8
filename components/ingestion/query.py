"""The rows of the data set: the query's result in the few types that travel on."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from components.common.artifacts import Kind
from components.common.errors import BadInputError, UnavailableError
from components.ingestion.database import first_line, identifier
from components.ingestion.repeat import require_repeatable

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), "float"),
    **dict.fromkeys(("VARCHAR", "ENUM", "UUID"), "string"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "timestamp"),
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "boolean",
    "DATE": "date",
    '"NULL"': "string",  # a column without any value, as pandas writes it
}
_PHYSICAL: dict[Kind, str] = {
    "integer": "@::BIGINT",
    "float": "CASE WHEN isnan(@::DOUBLE) THEN NULL ELSE @::DOUBLE END",  # NaN is a missing value
    "string": "@::VARCHAR",
    "boolean": "@::BIGINT",
    "date": "strftime(@, '%Y-%m-%d')",
    "timestamp": "strftime(@::TIMESTAMP, '%Y-%m-%dT%H:%M:%S')",  # a zoned one in UTC, the session's zone
}


RESULT = '"#result"'


@dataclass(frozen=True)
class Column:
    """One column of a query's result.

    Attributes:
        name: Its name.
        type: Its type in the database.
        kind: What it is in the data set.
    """

    name: str
    type: str
    kind: Kind

    def physical(self) -> str:
        """Return the SQL of its value as int64, float64 or string, under its name."""
        name = identifier(self.name)
        return f"{_PHYSICAL[self.kind].replace('@', name)} AS {name}"

    def is_cut(self) -> str:
        """Return the SQL of whether the physical value of a timestamp lacks a fraction of a second."""
        parts = "epoch_ns(@) % 1_000_000_000" if self.type == "TIMESTAMP_NS" else "epoch_us(@) % 1_000_000"
        return f"coalesce({parts.replace('@', f'raw.{identifier(self.name)}')} <> 0, false)"

    def text(self) -> str:
        """Return the SQL of its physical value as arguments of `concat`, which leaves out nulls.

        Texts of rows are equal only for equal rows.
        """
        name = identifier(self.name)
        if self.kind in ("integer", "float", "boolean"):
            return f"{name}::VARCHAR, ','"
        return f"length({name})::VARCHAR, CASE WHEN {name} IS NOT NULL THEN ':' END, {name}, ','"


def create_result(
    connection: duckdb.DuckDBPyConnection, query: str | None, sources: Sequence[str]
) -> list[Column]:
    """Make the result of the query readable as a view, and find its columns.

    Args:
        connection: The database, with a view for each source.
        query: What the user wrote, or None to take the only source as it is.
        sources: Names of the sources.

    Returns:
        The columns, in order.

    Raises:
        BadInputError: The query is no SQL, not one SELECT, names what is not there, or may give other
            rows the next time; there is none and several sources; a name of the result is empty or
            occurs twice; or a column has a type that no data set holds.
    """
    statement = _take_only(sources) if query is None else query
    try:
        found = _describe(connection, statement)
        require_repeatable(connection, statement)
        connection.execute(f"CREATE VIEW {RESULT} AS {statement}")
    except duckdb.Error as error:
        raise _query_error(first_line(error)) from error
    names = [name for name, _ in found]
    folded = [name.lower() for name in names]
    if doubles := sorted({name for name in names if folded.count(name.lower()) > 1}):
        what = f"duplicate column names: {', '.join(doubles)}"
        raise BadInputError(what, where="the query's result", fix="name each column once, with AS")
    return [Column(name, kind, _kind(name, kind)) for name, kind in found]


@contextmanager
def named_failures(query: str | None = None, uris: Mapping[str, str] | None = None) -> Generator[None]:
    """Tell what goes wrong while a query runs by our errors.

    Args:
        query: What the user wrote, or None if nothing.
        uris: Where each file that is read came from, by its path here.

    Raises:
        BadInputError: A file is corrupt, or the query fails on some value.
        UnavailableError: Memory, or disk for what does not fit into it, ran out.
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise _no_room(first_line(error)) from error
    except duckdb.Error as error:
        raise _reading_error(first_line(error), query, uris or {}) from error
    except (OSError, pa.ArrowException) as error:  # what DuckDB says through an Arrow stream
        if getattr(error, "errno", None) is not None:
            raise  # what the disk says, which `publishing` tells
        told = str(error).strip().splitlines()[0]
        if re.match(r"(IO|Out of Memory) Error", told):
            raise _no_room(told) from error
        raise _reading_error(told, query, uris or {}) from error


def _take_only(sources: Sequence[str]) -> str:
    if len(sources) != 1:
        fix = "write a `query` that joins them"
        where = "parameter `sources`"
        raise BadInputError("several sources and no query", where=where, value=list(sources), fix=fix)
    return f"FROM {identifier(sources[0])}"


def _describe(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    statements = connection.extract_statements(query)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        fix = "write a single SELECT, and no other statement"
        raise BadInputError("must be one SELECT", where="parameter `query`", value=query, fix=fix)
    return [(str(row[0]), str(row[1])) for row in connection.execute(f"DESCRIBE {query}").fetchall()]


def _kind(name: str, kind: str) -> Kind:
    if not name:
        raise BadInputError("a column has no name", where="the query's result", fix="name it with AS")
    base = kind.split("(", 1)[0]
    if kind.endswith("]") or base not in _KINDS:
        fix = "cast it in `query`, for example to VARCHAR or DOUBLE, or leave it out"
        raise BadInputError(
            f"column `{name}` is of a type that is not kept",
            where="the query's result",
            value=kind,
            fix=fix,
        )
    return _KINDS[base]


def _reading_error(told: str, query: str | None, uris: Mapping[str, str]) -> BadInputError:
    for path, uri in uris.items():
        if path in told:
            what = f"the file cannot be read: {told.replace(path, uri)}"
            return BadInputError(what, where=uri, fix="write it again")
    where = next(iter(uris.values())) if len(uris) == 1 else "parameter `sources`"
    if re.search("decompress|corrupt", told):
        return BadInputError(f"a file cannot be read: {told}", where=where, fix="write it again")
    if query is None:
        fix = "correct it, or cast the column in `query`"
        return BadInputError(f"a value cannot be kept: {told}", where=where, fix=fix)
    return _query_error(told)


def _query_error(told: str) -> BadInputError:
    return BadInputError(f"the query fails: {told}", where="parameter `query`", fix="correct the SQL")


def _no_room(told: str) -> UnavailableError:
    fix = "give the task more disk, or the knob `ingestion.memory_mib` more memory"
    return UnavailableError(f"the query ran out of room: {told}", where="ingest", fix=fix)

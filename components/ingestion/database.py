"""An embedded database that reads the files it was given and nothing else."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import duckdb

_CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",  # else a query could name variables of this program
    "TimeZone": "'UTC'",
    "enable_progress_bar": "false",  # it would be written among the lines of the log
}

_MIB_PER_THREAD = 100


@contextmanager
def open_database(
    scratch: Path, files: Iterable[Path], *, memory_mib: int = 400
) -> Generator[duckdb.DuckDBPyConnection]:
    """Open a database in memory: no network, no extensions, no files but those named.

    Args:
        scratch: An existing folder for what does not fit into memory. Files in it may be read.
        files: Files that may be read. Links are followed.
        memory_mib: What it may hold in memory; the rest spills to `scratch`. For each 100 there is
            a thread, but no more than there are cores.

    Yields:
        The connection, its configuration locked.
    """
    folder = os.path.realpath(scratch)
    paths = ", ".join(literal(os.path.realpath(file)) for file in files)
    with duckdb.connect(":memory:") as connection:
        for name, value in _CLOSED.items():
            connection.execute(f"SET {name} = {value}")
        connection.execute(f"SET memory_limit = '{memory_mib}MiB'")
        threads = min(len(os.sched_getaffinity(0)), memory_mib // _MIB_PER_THREAD)
        connection.execute(f"SET threads = {max(1, threads)}")
        connection.execute(f"SET temp_directory = {literal(f'{folder}/spill')}")
        connection.execute(f"SET allowed_directories = [{literal(folder)}]")
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def literal(text: str) -> str:
    """Quote a string for SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def first_line(error: duckdb.Error) -> str:
    """Return what the database says in its first line, without hints and listings."""
    return str(error).strip().splitlines()[0]

"""The ML Metadata store of a root: one sqlite file, used by several runs at once.

While its database is locked, the `ml_metadata` library waits without letting other Python threads go on. So
nothing is asked of it before the lock is known to be free.
"""

from __future__ import annotations

import fcntl
import logging
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from components.common.errors import BadInputError, ComponentError, UnavailableError

Result = TypeVar("Result")

STORE_NAME = "metadata.sqlite"
PATIENCE_SECONDS = 60.0


class Store:
    """Calls on a store, one process at a time, tried again while somebody else holds the database.

    Attributes:
        path: The sqlite file; made when it is missing.
    """

    def __init__(self, path: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Open a store.

        Args:
            path: The sqlite file; its folder exists.
            patience_seconds: How long one call waits for the database.

        Raises:
            UnavailableError: It stayed locked, or cannot be written.
            BadInputError: The file is no database.
        """
        self.path = path
        self._patience = patience_seconds
        self._store: Any = None
        with self.alone():
            self._store = self._patiently(lambda: _open(path))

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Keep other runs out while several calls belong together.

        Raises:
            UnavailableError: Another process stayed in.
        """
        deadline = time.monotonic() + self._patience
        with self.path.with_name(f"{self.path.name}.lock").open("a") as lock:
            while not _try_lock(lock.fileno()):
                if time.monotonic() > deadline:
                    raise self._busy()
                time.sleep(0.02)
            yield

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of `ml_metadata`'s `MetadataStore`.

        Raises:
            UnavailableError: The database stayed locked, or cannot be written.
            BadInputError: The file is damaged.
        """
        return self._patiently(lambda: getattr(self._store, method)(*arguments, **options))

    def _patiently(self, operation: Callable[[], Result]) -> Result:
        from ml_metadata import errors

        deadline = time.monotonic() + self._patience
        while True:
            self._await_database(deadline)
            try:
                return operation()
            except errors.AbortedError as error:  # locked since we looked; nothing was written
                if time.monotonic() > deadline:
                    raise self._busy() from error
            except (errors.InternalError, errors.DataLossError, errors.UnknownError, RuntimeError) as error:
                raise self._broken(str(error)) from error

    def _await_database(self, deadline: float) -> None:
        timeout = max(0.1, deadline - time.monotonic())
        try:
            with closing(sqlite3.connect(self.path, timeout=timeout, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise self._busy(str(error)) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _broken(self, said: str) -> ComponentError:
        """Tell what a failed call means: the file is damaged, or cannot grow."""
        found = re.search(r"executing query: *(.+?) *(query:|$)", said, re.DOTALL)
        reason = found[1] if found else said
        if "is full" in reason or "I/O error" in reason:
            free = f"{shutil.disk_usage(self.path.parent).free:,} bytes are free there"
            fix = "free some space and run again"
            return UnavailableError(
                f"lineage cannot be recorded: {reason}; {free}", where=self.path, fix=fix
            )
        return self._damaged(reason)

    def _damaged(self, reason: str) -> BadInputError:
        fix = "move it away: a new one is made, and `millrace run --resume` goes on with what was begun"
        return BadInputError(f"no lineage store: {reason}", where=self.path, fix=fix)

    def _busy(self, reason: str = "another process holds it") -> UnavailableError:
        fix = "end the process that holds it, or make it writable, then run again"
        return UnavailableError(f"lineage cannot be recorded: {reason}", where=self.path, fix=fix)


def protos() -> Any:
    """Return the messages of ML Metadata; they are made when loaded, so no checker knows them."""
    from ml_metadata.proto import metadata_store_pb2

    return metadata_store_pb2


def _open(path: Path) -> Any:
    from ml_metadata.metadata_store import metadata_store

    pb = protos()
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # it reports each retry as an error
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = pb.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    config.retry_options.max_num_retries = 1
    return metadata_store.MetadataStore(config)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""The supervisor: `millrace serve`, or detached `python -m pipelines.local.serving.supervisor`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from components.common.errors import BadInputError, ComponentError, UnavailableError
from pipelines.local.serving.control import Control
from pipelines.local.serving.endpoints import Endpoints
from pipelines.local.serving.forks import Forks
from pipelines.local.serving.proxy import Proxy
from pipelines.local.serving.state import DEFAULT_PORT, ServingState, StateFolder, SupervisorRecord

log = logging.getLogger("millrace.supervisor")

_PORTS_TRIED = 100
_DRAIN_SECONDS = 10.0
_END_SECONDS = 25.0
_HEAD_SECONDS = 75.0  # until a request's head is whole, on new and kept connections


def serve(root: Path, port: int = DEFAULT_PORT, *, announce: Callable[[str], object]) -> None:
    """Serve the models of a root until SIGINT, SIGTERM or a stop over the control socket.

    What was served before is served again.

    Args:
        root: Folder whose `serving/` holds the state; made if missing.
        port: Data port on 127.0.0.1; the next free one when it is taken. When it is the default, the
            port that this root had before comes first.
        announce: Given one line for people when all is set up; models may still be starting.

    Raises:
        BadInputError: Another supervisor serves this root, or its `state.json` is malformed.
        UnavailableError: No port is free.
    """
    folder = StateFolder.of(root)
    folder.make()
    lock = _lock(folder)
    handler = _log_to(folder.log_file)
    try:
        asyncio.run(_Supervisor(folder).run(port, announce))
    finally:
        log.removeHandler(handler)
        handler.close()
        os.close(lock)


class _Supervisor:
    def __init__(self, folder: StateFolder) -> None:
        self.folder = folder
        self.state = folder.read_state()
        self.forks = Forks(folder.path / "logs" / "parent.log")
        self.endpoints = Endpoints(folder.path / "logs", self.forks, self._remember)
        self.ended = asyncio.Event()

    async def run(self, port: int, announce: Callable[[str], object]) -> None:
        _sweep(self.folder)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.ended.set)
        listener = _listen(_ports(port, self.state.port))
        private = Path(tempfile.mkdtemp(prefix="millrace-"))  # unix socket paths are limited to 107 bytes
        record = _record(listener, private)
        self.state = replace(self.state, port=record.port)
        self.folder.write_state(self.state)
        proxy = Proxy(self.endpoints, record.url)
        control = _runner(Control(self.endpoints, proxy.tally, record, self.ended.set).application())
        data = _runner(proxy.application())
        try:
            await control.setup()
            await data.setup()
            self.forks.warm()
            self.endpoints.restore(self.state)
            await web.UnixSite(control, record.control).start()
            await web.SockSite(data, listener).start()
            self.folder.write_supervisor(record)
            log.info("pid %s serves on %s", record.pid, record.url)
            announce(f"serving on {record.url} — state in {self.folder.path} — Ctrl-C ends it")
            await self.ended.wait()
        finally:
            self.folder.supervisor_file.unlink(missing_ok=True)
            await control.cleanup()
            await data.cleanup()
            await self.endpoints.stop_processes()
            await self.forks.close()
            shutil.rmtree(private, ignore_errors=True)
            log.info("pid %s ended", record.pid)

    def _remember(self, endpoints: dict[str, dict[str, Any]]) -> None:
        self.state = ServingState(port=self.state.port, endpoints=endpoints)
        self.folder.write_state(self.state)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; an error made on purpose is one line on standard error and an exit code."""
    parser = argparse.ArgumentParser(prog="pipelines.local.serving.supervisor", description=__doc__)
    parser.add_argument("--root", required=True, type=Path, help="folder of runs and serving state")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="data port (default %(default)s)")
    options = parser.parse_args(arguments)
    try:
        serve(options.root, options.port, announce=log.info)
    except ComponentError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _runner(application: web.Application) -> web.AppRunner:
    return web.AppRunner(
        application, access_log=None, shutdown_timeout=_DRAIN_SECONDS, keepalive_timeout=_HEAD_SECONDS
    )


def _lock(folder: StateFolder) -> int:
    """Lock the root, waiting for a supervisor that is just ending, which has no record any more."""
    deadline = time.monotonic() + _END_SECONDS
    while (lock := folder.try_lock("lock")) is None:
        if folder.supervisor_file.exists() or time.monotonic() > deadline:
            what = "a supervisor serves this root already"
            raise BadInputError(what, where=folder.path, fix="use that one, or `millrace stop` it")
        time.sleep(0.1)
    return lock


def _log_to(file: Path) -> logging.Handler:
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    return handler


def _sweep(folder: StateFolder) -> None:
    """Remove what a killed supervisor left: its record, and the folder of its socket."""
    record = folder.read_supervisor()
    if record is None:
        return
    left = Path(record.control).parent
    if left.name.startswith("millrace-") and left.parent == Path(tempfile.gettempdir()):
        shutil.rmtree(left, ignore_errors=True)
    folder.supervisor_file.unlink(missing_ok=True)


def _ports(asked: int, former: int | None) -> list[int]:
    if not 1 <= asked <= 65_535:
        raise BadInputError("port must be in 1 to 65535", where="option --port", value=asked)
    following = [port for port in range(asked, asked + _PORTS_TRIED) if port <= 65_535]
    return [former, *following] if former is not None and asked == DEFAULT_PORT else following


def _listen(ports: Sequence[int]) -> socket.socket:
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(512)  # bound and listening: no other can take it from here on
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return listener
    raise UnavailableError("no port is free", where="127.0.0.1", value=f"{ports[0]} to {ports[-1]}")


def _record(listener: socket.socket, private: Path) -> SupervisorRecord:
    port = int(listener.getsockname()[1])
    return SupervisorRecord(
        pid=os.getpid(), port=port, url=f"http://127.0.0.1:{port}", control=str(private / "control.sock")
    )


if __name__ == "__main__":
    sys.exit(main())

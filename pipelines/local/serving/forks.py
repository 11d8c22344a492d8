"""Server processes: forked by a warm parent, which saves seconds of imports, or started fresh."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[3]
_PARENT = "pipelines.local.serving.parent"
_SERVER = "components.serving.server"
_IMPORTED = (  # not TensorFlow: most models have a twin, and the server of another imports it itself
    _SERVER, "components.serving.load", "components.serving.twin_engine", "components.serving.run",
    "components.serving.grpc_service",
)  # fmt: skip
_WARM_SECONDS = 120.0
_FORK_SECONDS = 20.0
_STATUS_SECONDS = 5.0
_UNKNOWN = -signal.SIGKILL  # what is said of a process whose parent could not tell its end

_Started = tuple[int, "asyncio.Future[int]"]  # a process, and what becomes its status


class ServerProcess:
    """A server that was started.

    Attributes:
        pid: Its process, and its process group.
    """

    def __init__(self, pid: int, ended: asyncio.Future[int], lifeline: int) -> None:
        """Watch a process; `ended` becomes its status."""
        self.pid = pid
        self._ended, self._lifeline = ended, lifeline

    @property
    def returncode(self) -> int | None:
        """Its status, negative for a signal; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Return its status when it has ended."""
        status = await asyncio.shield(self._ended)
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        return status

    async def end(self, seconds: float) -> None:
        """Ask it to end, and kill it when it has not done so in time."""
        try:
            self._signal(signal.SIGTERM)
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self.wait()

    def _signal(self, number: int) -> None:
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class Forks:
    """Starts servers. Each holds the reading end of a pipe, and ends when this process is gone."""

    def __init__(self, log: Path) -> None:
        """Start nothing yet; `log` is where the parent writes."""
        self._log = log
        self._parent: asyncio.Task[_Parent | None] | None = None

    def warm(self) -> None:
        """Have a parent import, in the background."""
        self._parent = asyncio.create_task(self._start_parent())

    async def start(self, arguments: list[str], log: Path) -> ServerProcess:
        """Start a server.

        Args:
            arguments: Of `components.serving.server`; `--end-with-stdin` is added.
            log: What it writes is added to this file.
        """
        reading, writing = os.pipe()
        output = _open_log(log)
        try:
            started = await self._fork([*arguments, "--end-with-stdin"], reading, output)
        finally:
            os.close(reading)
            os.close(output)
        return ServerProcess(*started, writing)

    async def close(self) -> None:
        """End the parent; what it forked goes on, and is for others to end."""
        if self._parent is not None:
            self._parent.cancel()
            found = (await asyncio.gather(self._parent, return_exceptions=True))[0]
            if isinstance(found, _Parent):
                await found.close()

    async def _fork(self, arguments: list[str], reading: int, output: int) -> _Started:
        parent = None if self._parent is None else await asyncio.shield(self._parent)
        if parent is not None:
            try:
                return await parent.fork(arguments, reading, output)
            except (OSError, TimeoutError, asyncio.InvalidStateError):
                await parent.close()
                self.warm()  # for the next one
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _SERVER, *arguments,
            stdin=reading, stdout=output, stderr=STDOUT, env=_environment(), process_group=0,
        )  # fmt: skip
        return process.pid, asyncio.ensure_future(process.wait())

    async def _start_parent(self) -> _Parent | None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        output = _open_log(self._log)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", _PARENT, str(theirs.fileno()), *_IMPORTED,
                stdin=DEVNULL, stdout=output, stderr=STDOUT, env=_environment(), process_group=0,
                pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        os.close(output)
        parent = _Parent(process, ours)
        try:
            await parent.wait_ready()
        except (OSError, TimeoutError):
            await parent.close()
            return None
        except asyncio.CancelledError:
            await parent.close()
            raise
        return parent


class _Parent:
    """The supervisor's side of `parent.py`."""

    def __init__(self, process: Process, ours: socket.socket) -> None:
        ours.setblocking(False)
        self._process, self._socket = process, ours
        self._lock = asyncio.Lock()
        self._forked: asyncio.Future[_Started] | None = None
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(ours, self._receive)

    async def wait_ready(self) -> None:
        """Wait until everything is imported; raises OSError or TimeoutError when it will not be."""
        await asyncio.wait_for(self._ready, _WARM_SECONDS)

    async def fork(self, arguments: list[str], reading: int, output: int) -> _Started:
        """Return the process of a new server, and what becomes its status."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            self._forked = loop.create_future()
            socket.send_fds(self._socket, [json.dumps(arguments).encode()], [reading, output])
            return await asyncio.wait_for(self._forked, _FORK_SECONDS)

    async def close(self) -> None:
        """End the parent."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def _receive(self) -> None:
        try:
            content = self._socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self._lose()
            return
        message: dict[str, Any] = json.loads(content)
        if "pid" in message:
            self._ends[message["pid"]] = ended = self._watch(message["pid"])
            if self._forked is not None and not self._forked.done():
                self._forked.set_result((message["pid"], ended))
        elif "ended" in message:
            ended = self._ends.pop(message["ended"], None)
            if ended is not None and not ended.done():
                ended.set_result(message["status"])
        elif not self._ready.done():
            self._ready.set_result(True)

    def _watch(self, pid: int) -> asyncio.Future[int]:
        """Return what becomes a child's status, though its parent may be gone by then."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[int] = loop.create_future()
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return ended  # it has ended, and the parent tells

        def gone() -> None:
            loop.remove_reader(handle)
            os.close(handle)
            loop.call_later(_STATUS_SECONDS, lambda: None if ended.done() else ended.set_result(_UNKNOWN))

        loop.add_reader(handle, gone)
        return ended

    def _lose(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        for future in (self._ready, self._forked):
            if future is not None and not future.done():
                future.set_exception(ConnectionError("the parent is gone"))


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    ours = {
        "PYTHONPATH": str(_REPOSITORY), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2",
        "OPENBLAS_NUM_THREADS": "1",  # as the server has it, which cannot say so after the import
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a thread of the parent would be none in a fork
    }  # fmt: skip
    return {**kept, **ours}


def _open_log(file: Path) -> int:
    return os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

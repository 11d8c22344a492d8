"""One model server process: started, watched, started anew with a growing pause, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from pathlib import Path
from typing import Literal

import aiohttp

from pipelines.local.serving.forks import Forks, ServerProcess
from pipelines.local.serving.state import last_line

log = logging.getLogger("millrace.supervisor")

_FINAL = (2, 3)  # a broken model, or one that answers otherwise: starting it again cannot help
_LOG_LIMIT = 10 << 20


class Revision:
    """A revision of a model and the process that serves it.

    Attributes:
        model_uri: Folder of the complete model.
        model_digest: Its model digest.
        engine: What computes its answers; `auto` leaves it to the server.
        state: `starting`, `ready` or `failed` (given up; `apply` tries again).
        reason: Why it is not ready, or None.
        pid: The server's process, or None.
        url: The server's own address, or None.
        grpc: Its address for gRPC, such as `127.0.0.1:9000`, or None.
        under_way: Requests being answered now, or waiting for the server to be started anew.
        starts: How often a server was started.
        last_end: How the server died the last time, or None.
    """

    attempts = 5  # starts in a row, without a minute of health, before it counts as failed
    start_seconds = 180.0
    healthy_seconds = 60.0
    stop_seconds = 15.0

    def __init__(
        self, endpoint: str, name: str, *, model_uri: str, model_digest: str, engine: str, logs: Path,
        forks: Forks,
    ) -> None:  # fmt: skip
        """Prepare a revision; `start` starts it."""
        self.endpoint, self.name = endpoint, name
        self.model_uri, self.model_digest, self.engine = model_uri, model_digest, engine
        self.log_file = logs / f"{endpoint}-{name}.log"
        self.state: Literal["starting", "ready", "failed"] = "starting"
        self.reason: str | None = None
        self.pid: int | None = None
        self.url: str | None = None
        self.grpc: str | None = None
        self.under_way = self.starts = 0
        self.last_end: str | None = None
        self._forks = forks
        self._settled = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the server and keep it alive; nothing happens when that is being done."""
        if self._keeper is None or self._keeper.done():
            self.state, self.reason = "starting", None
            self._settled.clear()
            self._keeper = asyncio.create_task(self._keep_alive(), name=f"{self.endpoint}-{self.name}")

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """Wait until no request is under way, at most so long, and end the server."""
        waited = 0.0
        while self.under_way and waited < drain_seconds:
            await asyncio.sleep(0.05)
            waited += 0.05
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def settled(self, seconds: float) -> None:
        """Wait until it is ready or failed, or so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), seconds)

    async def _keep_alive(self) -> None:
        failures = 0
        while failures < self.attempts:
            started = asyncio.get_running_loop().time()
            status = await self._run_once()
            if asyncio.get_running_loop().time() - started > self.healthy_seconds:
                failures = 0
            failures += 1
            log.warning("%s/%s: %s", self.endpoint, self.name, self.reason)
            if status in _FINAL:
                break
            self._leave_ready()
            await asyncio.sleep(min(0.25 * 2**failures, 10.0) if failures > 1 else 0)
        self.state = "failed"
        self._settled.set()

    async def _run_once(self) -> int | None:
        """Run the server until it ends; leaves `reason` saying how."""
        self._trim_log()
        log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        process = await self._spawn()
        self.starts += 1
        try:
            became_ready = await self._await_ready(process)
            if became_ready:
                self.state, self.reason = "ready", None
                self._settled.set()
                log.info("%s/%s is ready: pid %s, %s", self.endpoint, self.name, self.pid, self.url)
                await process.wait()
            late = process.returncode is None
        finally:
            self._leave_ready()
            await process.end(self.stop_seconds)
            self.pid = self.url = self.grpc = None
        self.reason = self.last_end = self._explain(
            process.returncode, late, last_line(self.log_file, start=log_start)
        )
        return process.returncode

    def _leave_ready(self) -> None:
        self.state = "starting"
        self._settled.clear()

    def _explain(self, status: int | None, late: bool, told: str) -> str:
        if late:
            return f"the server was not ready within {self.start_seconds:g} s: {told}"
        if status is not None and status < 0:
            return f"the server was ended by signal {-status}"
        return f"the server ended with status {status}: {told}"

    async def _spawn(self) -> ServerProcess:
        port, grpc_port = _free_ports(2)
        arguments = [
            "--model", self.model_uri, "--name", self.endpoint, "--host", "127.0.0.1",
            "--port", str(port), "--grpc-port", str(grpc_port), "--engine", self.engine,
        ]  # fmt: skip
        process = await self._forks.start(arguments, self.log_file)
        self.pid, self.url, self.grpc = process.pid, f"http://127.0.0.1:{port}", f"127.0.0.1:{grpc_port}"
        return process

    async def _await_ready(self, process: ServerProcess) -> bool:
        address = f"{self.url}/v2/models/{self.endpoint}/ready"
        deadline = asyncio.get_running_loop().time() + self.start_seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while process.returncode is None and asyncio.get_running_loop().time() < deadline:
                if await _answers(session, address):
                    return process.returncode is None
                await asyncio.sleep(0.05)
        return False

    def _trim_log(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT:
            self.log_file.replace(self.log_file.with_suffix(".log.old"))


def _free_ports(count: int) -> list[int]:
    """Find ports; were one taken before the server binds it, that ends and is started anew."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


async def _answers(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(address) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False

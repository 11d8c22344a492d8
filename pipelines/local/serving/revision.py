"""One model server process: started, watched, started anew with a growing pause, ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path
from typing import Literal

import aiohttp

from pipelines.local.serving.state import last_line

log = logging.getLogger("millrace.supervisor")

_REPOSITORY = Path(__file__).resolve().parents[3]
_FINAL = (2, 3)  # a broken model, or one that answers otherwise: starting it again cannot help
_LOG_LIMIT = 10 << 20


class Revision:
    """A revision of a model and the process that serves it.

    Attributes:
        model_uri: Folder of the complete model.
        model_digest: Its model digest.
        state: `starting`, `ready` or `failed` (given up; `apply` tries again).
        reason: Why it is not ready, or None.
        pid: The server's process, or None.
        url: The server's own address, or None.
        under_way: Requests being answered now.
    """

    attempts = 5  # starts in a row, without a minute of health, before it counts as failed
    start_seconds = 180.0
    healthy_seconds = 60.0
    stop_seconds = 15.0

    def __init__(self, endpoint: str, name: str, *, model_uri: str, model_digest: str, logs: Path) -> None:
        """Prepare a revision; `start` starts it."""
        self.endpoint, self.name = endpoint, name
        self.model_uri, self.model_digest = model_uri, model_digest
        self.log_file = logs / f"{endpoint}-{name}.log"
        self.state: Literal["starting", "ready", "failed"] = "starting"
        self.reason: str | None = None
        self.pid: int | None = None
        self.url: str | None = None
        self.under_way = 0
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the server and keep it alive; nothing happens when that is being done."""
        if self._keeper is None or self._keeper.done():
            self.state, self.reason = "starting", None
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
            self.state = "starting"
            await asyncio.sleep(min(0.25 * 2**failures, 10.0))
        self.state = "failed"

    async def _run_once(self) -> int | None:
        """Run the server until it ends; leaves `reason` saying how."""
        self._trim_log()
        log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        process = await self._spawn()
        try:
            became_ready = await self._await_ready(process)
            if became_ready:
                self.state, self.reason = "ready", None
                log.info("%s/%s is ready: pid %s, %s", self.endpoint, self.name, self.pid, self.url)
                await process.wait()
            late = process.returncode is None
        finally:
            self.state = "starting"
            await self._end(process)
        self.reason = self._explain(process.returncode, late, last_line(self.log_file, start=log_start))
        return process.returncode

    def _explain(self, status: int | None, late: bool, told: str) -> str:
        if late:
            return f"the server was not ready within {self.start_seconds:g} s: {told}"
        if status is not None and status < 0:
            return f"the server was ended by signal {-status}"
        return f"the server ended with status {status}: {told}"

    async def _spawn(self) -> Process:
        port = _free_port()
        command = [
            sys.executable, "-P", "-m", "components.serving.server", "--model", self.model_uri,
            "--name", self.endpoint, "--port", str(port), "--host", "127.0.0.1", "--end-with-stdin",
        ]  # fmt: skip
        descriptor = os.open(self.log_file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:  # its standard input closes when this process ends in any way, and then so does the server
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=descriptor, stderr=STDOUT, env=_environment(),
                start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(descriptor)
        self.pid, self.url = process.pid, f"http://127.0.0.1:{port}"
        return process

    async def _await_ready(self, process: Process) -> bool:
        address = f"{self.url}/v2/models/{self.endpoint}/ready"
        deadline = asyncio.get_running_loop().time() + self.start_seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while process.returncode is None and asyncio.get_running_loop().time() < deadline:
                if await _answers(session, address):
                    return process.returncode is None
                await asyncio.sleep(0.1)
        return False

    async def _end(self, process: Process) -> None:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), self.stop_seconds)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        self.pid = self.url = None

    def _trim_log(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT:
            self.log_file.replace(self.log_file.with_suffix(".log.old"))


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    ours = {"PYTHONPATH": str(_REPOSITORY), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    return {**kept, **ours}


def _free_port() -> int:
    with (
        socket.socket() as probe
    ):  # were it taken before the server binds it, that ends and is started anew
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answers(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(address) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False

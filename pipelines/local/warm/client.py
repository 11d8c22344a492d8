"""The runner's side of one warm parent; `parent.py` is the other side."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from pipelines.local.launch import ProcessGroup, Usage, last_line
from pipelines.local.secrets.masking import NO_MASK, Mask
from pipelines.local.warm.command import Lightweight

WARM_SECONDS = 120.0
FORK_SECONDS = 20.0
_PROGRAM = Path(__file__).with_name("parent.py")
# While imports go on in the parent; a child gets its task's variables. Arrow's allocator would start a
# thread, and only one may exist at a fork; what sees a GPU before a fork cannot use it after.
_WHILE_WARMING = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "CUDA_VISIBLE_DEVICES": "-1",
    "_KFP_RUNTIME": "true",
}


class NotForkedError(Exception):
    """The parent cannot fork; the task is to be started fresh, and the message says why."""


class WarmParent:
    """A process that has imported modules and forks one child per task."""

    def __init__(self, variables: Mapping[str, str], modules: Sequence[str]) -> None:
        """Start it; importing goes on in the background.

        Args:
            variables: All its variables, those of the tasks; its Python is `python3` on their `PATH`.
            modules: What it imports, in this order.

        Raises:
            NotForkedError: There is no such Python.
        """
        self._scratch = tempfile.TemporaryDirectory(prefix="millrace-warm-", ignore_cleanup_errors=True)
        self._log = Path(self._scratch.name) / "log"
        folder = Path(self._scratch.name) / "empty"
        folder.mkdir()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._variables = dict(variables)
        with theirs, self._log.open("wb") as log:
            command = ["python3", str(_PROGRAM), str(theirs.fileno()), *modules]
            try:
                self._popen = subprocess.Popen(  # noqa: S603 - our own program
                    command, cwd=folder, env={**variables, **_WHILE_WARMING, "TMPDIR": str(folder)},
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    pass_fds=(theirs.fileno(),), start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                self._socket.close()
                self._scratch.cleanup()
                raise NotForkedError(f"it cannot be started: {error}") from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def wait_ready(self) -> None:
        """Wait until it has imported everything.

        Raises:
            NotForkedError: It cannot import, or may not fork.
        """
        self._socket.settimeout(WARM_SECONDS)
        try:
            answer = self._socket.recv(4096).decode()
        except OSError as error:
            raise NotForkedError(f"it was not ready in time: {error}") from error
        if answer != "ready":
            raise NotForkedError(answer or last_line(self._log) or "it ended without a word")

    def fork(
        self, task: Lightweight, *, cwd: Path, log: Path, environment: Mapping[str, str],
        mask: Mask = NO_MASK,
    ) -> ForkedProcess:  # fmt: skip
        """Execute a lightweight component's command in a child; see `Process` for the arguments.

        Raises:
            NotForkedError: It could not, and nothing was started.
        """
        request = {
            "program": task.program, "arguments": task.arguments, "cwd": str(cwd),
            "environment": dict(environment),
        }  # fmt: skip
        stream = log.open("wb", buffering=0)
        reading, writing = os.pipe()
        output = open(reading, "rb", buffering=0)  # noqa: SIM115 - the process closes it
        ours, theirs = socket.socketpair()
        channel = _Channel(ours)
        try:
            self._socket.settimeout(FORK_SECONDS)
            with theirs, open(writing, "wb"):
                socket.send_fds(self._socket, [b"t"], [theirs.fileno(), writing])
            pid = channel.ask(request)
        except (OSError, NotForkedError) as error:
            for opened in (stream, output, channel):
                opened.close()
            raise NotForkedError(str(error)) from error
        return ForkedProcess(pid, channel, output, stream, mask)

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Tell whether a child could have these variables from its start: what was imported read them."""
        return {**environment, "TMPDIR": ""} == {**self._variables, "TMPDIR": ""}

    def kill(self) -> None:
        """End it, and with it what it forked."""
        if self._popen.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and give up all that belongs to it; nobody may wait for it."""
        self.kill()
        self._popen.wait()
        self._socket.close()
        self._scratch.cleanup()


class _Channel:
    """The runner's end of a task's channel: lines of JSON."""

    def __init__(self, ours: socket.socket) -> None:
        ours.settimeout(FORK_SECONDS)
        self._socket = ours
        self._stream = ours.makefile("rwb")

    def ask(self, request: Mapping[str, Any]) -> int:
        """Hand a task over; returns the id of the process that does it."""
        self._send(json.dumps(request).encode() + b"\n")
        answer = json.loads(self._stream.readline() or b"{}")
        if "pid" not in answer:
            raise NotForkedError(answer.get("refused", "it ended"))
        self._socket.settimeout(None)
        return answer["pid"]

    def receive(self, key: str) -> dict[str, Any]:
        """Wait for the message with a key; empty when the parent is gone."""
        with suppress(OSError):
            while line := self._stream.readline():
                message: dict[str, Any] = json.loads(line)
                if key in message:
                    return message
        return {}

    def reap(self) -> dict[str, Any]:
        """Let the parent take the status; empty when the parent is gone."""
        with suppress(OSError):
            self._send(b"r")
        return self.receive("status")

    def close(self) -> None:
        with suppress(OSError):
            self._stream.close()
        self._socket.close()

    def _send(self, content: bytes) -> None:
        self._stream.write(content)
        self._stream.flush()


class ForkedProcess(ProcessGroup):
    """A child of a warm parent."""

    def __init__(self, pid: int, channel: _Channel, output: IO[bytes], log: IO[bytes], mask: Mask) -> None:
        """Take over a child that has begun; `output` is what it writes."""
        self._channel = channel
        super().__init__(pid, output, log, mask)

    def _await_end(self) -> None:
        self._channel.receive("ended")

    def _reap(self) -> Usage:
        answer = self._channel.reap()
        self._channel.close()
        if not answer:  # the parent was killed, and its child with it
            return Usage(exit_code=-signal.SIGKILL, cpu_seconds=0.0, peak_memory_bytes=0)
        code = os.waitstatus_to_exitcode(answer["status"])
        return Usage(
            exit_code=code if code >= 0 else 128 - code,  # as the command's shell would say it
            cpu_seconds=answer["cpu"],
            peak_memory_bytes=answer["peak"],
        )

"""The runner's side of one parent of tasks; `parent.py` is the other side."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
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
_END_SECONDS = 2.0
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


class Parent:
    """A process that forks one child per task, and ends all that they started when the runner is gone."""

    def __init__(
        self,
        python: Sequence[str],
        variables: Mapping[str, str],
        modules: Sequence[str],
        within: Path | None,
    ) -> None:
        """Start it; importing goes on in the background.

        Args:
            python: The command of its Python.
            variables: All its variables.
            modules: What it imports, in this order.
            within: Where its temporary folder is made; None for the system's place.

        Raises:
            NotForkedError: There is no such Python.
        """
        self._scratch = tempfile.TemporaryDirectory(dir=within, ignore_cleanup_errors=True)
        self._log = Path(self._scratch.name) / "log"
        folder = Path(self._scratch.name) / "empty"
        folder.mkdir()
        self._ready = False
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._log.open("wb") as log:
            command = [*python, str(_PROGRAM), str(theirs.fileno()), *modules]
            try:
                self._popen = subprocess.Popen(  # noqa: S603 - our own program
                    command, cwd=folder, env={**variables, "TMPDIR": str(folder)},
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
        self._ready = True

    def close(self) -> None:
        """End it, all that its tasks left running, and all that belongs to it; nobody may wait for it."""
        if self._ready:  # while importing it does not listen, and has no tasks
            self._socket.close()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(_END_SECONDS)
        if self._popen.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._socket.close()
        self._scratch.cleanup()

    def _start(
        self, request: Mapping[str, Any], *, log: Path, mask: Mask, in_shell: bool = False
    ) -> ForkedProcess:
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
        return ForkedProcess(pid, channel, output, stream, mask, in_shell=in_shell)


class WarmParent(Parent):
    """One that has imported what lightweight components need; its Python is `python3` on their `PATH`."""

    def __init__(
        self, variables: Mapping[str, str], modules: Sequence[str], within: Path | None = None
    ) -> None:
        """Start it with all variables of its tasks; see `Parent`."""
        self._variables = dict(variables)
        super().__init__(["python3"], {**variables, **_WHILE_WARMING}, modules, within)

    def fork(
        self, task: Lightweight, *, cwd: Path, log: Path, environment: Mapping[str, str],
        mask: Mask = NO_MASK,
    ) -> ForkedProcess:  # fmt: skip
        """Execute a lightweight component's command in a child; see `Launcher.execute` for the arguments.

        Raises:
            NotForkedError: It could not, and nothing was started.
        """
        request = {
            "program": task.program, "arguments": task.arguments, "cwd": str(cwd),
            "environment": dict(environment),
        }  # fmt: skip
        return self._start(request, log=log, mask=mask, in_shell=True)

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Tell whether a child could have these variables from its start: what was imported read them."""
        return {**environment, "TMPDIR": ""} == {**self._variables, "TMPDIR": ""}


class Launcher(Parent):
    """One that has imported nothing and executes commands, each in a fresh process."""

    def __init__(self, within: Path | None = None) -> None:
        """Start it, with the Python of the runner."""
        super().__init__([sys.executable, "-I", "-S"], os.environ, (), within)

    def execute(
        self, command: Sequence[str], *, cwd: Path, log: Path, environment: Mapping[str, str],
        mask: Mask = NO_MASK,
    ) -> ForkedProcess:  # fmt: skip
        """Start a command; one that cannot be executed ends with 2 and says so in its log.

        Args:
            command: What to execute; found on the `PATH` of `environment`.
            cwd: Its working folder.
            log: File for its standard output and error.
            environment: All its variables.
            mask: Hides values in the log.

        Raises:
            NotForkedError: The launcher is gone.
        """
        request = {"command": list(command), "cwd": str(cwd), "environment": dict(environment)}
        return self._start(request, log=log, mask=mask)


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
    """A child of a parent."""

    def __init__(
        self, pid: int, channel: _Channel, output: IO[bytes], log: IO[bytes], mask: Mask, *, in_shell: bool
    ) -> None:
        """Take over a child that has begun; `output` is what it writes.

        `in_shell`: it stands for a command inside a shell, and so tells of a signal as shells do.
        """
        self._channel, self._in_shell = channel, in_shell
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
            exit_code=128 - code if code < 0 and self._in_shell else code,
            cpu_seconds=answer["cpu"],
            peak_memory_bytes=answer["peak"],
        )

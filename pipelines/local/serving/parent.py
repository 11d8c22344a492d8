"""A warm parent: imports what model servers need, executes nothing, and forks one server per request.

`python -m pipelines.local.serving.parent SOCKET MODULE…`, where the first module is the server's. Over
SOCKET come requests: the server's arguments as JSON, with two files, its standard input and where it
writes. The parent answers with the process id, and tells each end as `{"ended": pid, "status": …}`. The
supervisor's side is `forks.py`.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from typing import Any

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_LONGEST = 1 << 16


def main(arguments: list[str]) -> None:
    """Import, tell, fork until the supervisor is gone; in a child: become the server."""
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    supervisor = socket.socket(fileno=int(arguments[0]))
    supervisor.set_inheritable(False)
    for module in arguments[1:]:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # children share the memory of what was imported until they write to it
    supervisor.send(b'{"ready": true}')
    server = _Parent(supervisor).serve()
    if server is not None:
        sys.argv = [arguments[1], *server]
        sys.exit(sys.modules[arguments[1]].main(server))


class _Parent:
    def __init__(self, supervisor: socket.socket) -> None:
        self._supervisor = supervisor
        self._woken, self._wakes = socket.socketpair()
        for end in (self._woken, self._wakes):
            end.setblocking(False)

    def serve(self) -> list[str] | None:
        """Fork until the supervisor is gone; returns in each child the arguments of its server."""
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._supervisor, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        self._woken.recv(4096)
                        self._report_ended()
                        continue
                    message, files, _, _ = socket.recv_fds(self._supervisor, _LONGEST, 2)
                    if not message:
                        return None
                    if (server := self._fork(json.loads(message), files)) is not None:
                        return server

    def _fork(self, arguments: list[str], files: list[int]) -> list[str] | None:
        pid = os.fork()
        if pid:
            for file in files:
                os.close(file)
            self._tell({"pid": pid})
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for own in (self._supervisor, self._woken, self._wakes):
            own.close()
        os.setpgid(0, 0)  # a group to end, in the session of all: schedulers may share time by sessions
        for source, target in zip((files[0], files[1], files[1]), (0, 1, 2), strict=True):
            os.dup2(source, target)
        for file in files:
            os.close(file)
        return arguments

    def _report_ended(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            self._supervisor.send(json.dumps(message).encode())
        except OSError:
            os._exit(0)  # the supervisor is gone; its servers learn it by their standard input


def _nothing(number: int, frame: object) -> None:
    """Be there, so that the system wakes the parent."""


if __name__ == "__main__":
    main(sys.argv[1:])

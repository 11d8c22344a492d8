"""A parent of tasks: imports modules, executes nothing, and forks one child per task.

Executed as a file, so it needs the standard library alone: `python3 parent.py SOCKET MODULE…`. A warm
parent is executed by the Python of a task's environment; one without modules executes commands. The
runner's side is `client.py`.

Over SOCKET come requests, each with two files: the task's channel, and where its output goes. A child takes
its task from the channel, says its process id there, and goes on as `python3 -m kfp.dsl.executor_main`, or
as the command that it is told.
The parent says there when the child ended, and takes its status and usage only when the runner tells it to:
until then its process group cannot be another's.

When the runner is gone, however it ended, everything that the tasks started ends, what left its group too.
"""

import ctypes
import errno
import gc
import importlib
import json
import logging
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

EXECUTOR = "kfp.dsl.executor_main"
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_ADOPT = 36  # PR_SET_CHILD_SUBREAPER: what a task leaves behind becomes our child
_LIBC = ctypes.CDLL(None)


class Child(NamedTuple):
    """What a forked child has of its task: the channel, and the file for its output."""

    channel: socket.socket
    output: int


def main(arguments: list[str]) -> None:
    """Import, tell, serve; in a child: become the task and return when it ended."""
    _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)  # the end of the runner is not seen while importing
    runner = socket.socket(fileno=int(arguments[0]))
    runner.set_inheritable(False)
    start = sys.path[0] = os.getcwd()
    changed = _import(arguments[1:]) if arguments[1:] else {}
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        runner.send(f"{threads} threads run after its imports, and only one may".encode())
        return
    runner.send(b"ready")
    _LIBC.prctl(_DEATH_SIGNAL, 0)  # from here on it is seen, and ends what the tasks started, too
    _LIBC.prctl(_ADOPT, 1, 0, 0, 0)
    child = _Parent(runner).serve()
    task = _take(child)
    if "command" in task:
        _execute(task)
    _become(task, start, changed)
    runpy.run_module(EXECUTOR, run_name="__main__", alter_sys=True)


def _import(modules: list[str]) -> dict[str, str]:
    """Import modules, and leave this process as it was else; returns the variables that they set."""
    before = dict(os.environ)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    for module in modules:
        importlib.import_module(module)
    # An import that logs sets up logging; then the executor could not.
    root.handlers[:] = handlers
    root.setLevel(level)
    gc.collect()
    gc.freeze()  # children share the memory of what was imported until they write to it
    _end_thread_pools()
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def _end_thread_pools() -> None:
    """Fork once for nothing: OpenBLAS ends its threads before a fork, and starts them at its next use."""
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


class _Parent:
    def __init__(self, runner: socket.socket) -> None:
        self._runner = runner
        self._channels: dict[int, socket.socket] = {}
        self._ended: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(runner, selectors.EVENT_READ)
        self._woken, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def serve(self) -> Child:
        """Fork until the runner is gone; returns in each child what it is to do."""
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    self._report_ended()
                elif key.data is not None:
                    self._reap(key.data)
                else:
                    files = _receive(self._runner)
                    if not files:
                        self._end_all()
                    elif (child := self._fork(*files)) is not None:
                        return child

    def _fork(self, channel_file: int, output: int) -> Child | None:
        channel = socket.socket(fileno=channel_file)
        me = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            _tell(channel, {"refused": f"cannot fork: {error.strerror}"})
            channel.close()
            os.close(output)
            return None
        if pid == 0:
            os.setsid()
            _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
            if os.getppid() != me:
                os._exit(1)
            self._forget()
            return Child(channel, output)
        os.close(output)
        self._channels[pid] = channel
        return None

    def _forget(self) -> None:
        """Give up, in a child, all that belongs to the parent."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for own in (self._runner, self._woken, self._wakes, *self._channels.values()):
            own.close()

    def _report_ended(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass
        for pid, channel in self._channels.items():
            if pid in self._ended or not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                continue
            self._ended.add(pid)
            self._selector.register(channel, selectors.EVENT_READ, pid)  # until then the child reads it
            _tell(channel, {"ended": pid})

    def _reap(self, pid: int) -> None:
        """Take the status of a child that the runner has done with, or gave up."""
        channel = self._channels.pop(pid)
        self._ended.remove(pid)
        if channel.recv(1) != b"r":
            _kill(pid)
        _, status, usage = os.wait4(pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        _tell(channel, {"status": status, "cpu": seconds, "peak": usage.ru_maxrss * 1024})
        self._selector.unregister(channel)
        channel.close()

    def _end_all(self) -> NoReturn:
        for pid in self._channels:
            _kill(pid)
        with suppress(ChildProcessError):  # what a child leaves behind is our child then
            while True:
                for pid in _children():
                    _kill(pid)
                os.waitpid(-1, 0)
        os._exit(0)  # what was imported has nothing to end


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def _take(child: Child) -> dict[str, Any]:
    """Take a task over, in the child that is to do it."""
    os.dup2(child.output, 1)
    os.dup2(child.output, 2)
    os.close(child.output)
    with child.channel.makefile("rwb") as stream:
        task = json.loads(stream.readline())
        stream.write(json.dumps({"pid": os.getpid()}).encode() + b"\n")
    child.channel.close()
    return task


def _execute(task: dict[str, Any]) -> NoReturn:
    """Execute a command in place of this process; when it cannot be, end as a task with a mistake does."""
    command = task["command"]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    try:
        os.chdir(task["cwd"])
        os.execvpe(command[0], command, task["environment"])  # noqa: S606 - a package says what
    except OSError as error:
        said = f"command cannot be executed: {error.strerror} — got {command[0]!r}"
        if error.errno == errno.E2BIG:
            said = (
                "the inputs are longer than a command may be (128 KiB on Linux, and on Kubernetes) — "
                "hand large values on as artifacts"
            )
        os.write(2, f"error: {said}\n".encode())
        os._exit(2)


def _become(task: dict[str, Any], start: str, changed: dict[str, str]) -> None:
    """Turn this process into the one that the task's command would have started."""
    os.environ.clear()
    os.environ.update({**task["environment"], **changed, "_KFP_RUNTIME": "true", "PWD": task["cwd"]})
    os.chdir(task["cwd"])
    if sys.path[0] == start:
        sys.path[0] = task["cwd"]
    importlib.invalidate_caches()
    tempfile.tempdir = None
    _seed()
    program = os.path.join(tempfile.mkdtemp(prefix="tmp."), "ephemeral_component.py")
    with open(program, "wb") as file:
        file.write(os.fsencode(task["program"]))
    arguments = ["--component_module_path", program, *task["arguments"]]
    sys.argv = [EXECUTOR, *arguments]
    sys.orig_argv[:] = ["python3", "-m", EXECUTOR, *arguments]


def _seed() -> None:
    """Make the generators of NumPy differ between children; Python does so for its own."""
    random: Any = sys.modules.get("numpy.random")
    if random is not None:
        random.seed()


def _receive(runner: socket.socket) -> list[int]:
    """Return the two files of a request; nothing when the runner is gone."""
    message, files, _, _ = socket.recv_fds(runner, 1, 2)
    return files if message else []


def _tell(channel: socket.socket, message: dict[str, Any]) -> None:
    with suppress(OSError):  # the runner no longer listens
        channel.sendall(json.dumps(message).encode() + b"\n")


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(group, signal.SIGKILL)
        os.killpg(group, signal.SIGKILL)


def _nothing(number: int, frame: object) -> None:
    """Be there, so that the system wakes the parent."""


if __name__ == "__main__":
    main(sys.argv[1:])

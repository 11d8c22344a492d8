"""Finding, starting and asking the supervisor of a root."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.common.control import call_control
from components.common.errors import BadInputError, UnavailableError
from pipelines.local.serving.state import DEFAULT_PORT, StateFolder, last_line

_REPOSITORY = Path(__file__).resolve().parents[3]
_START_SECONDS = 40.0
_STOP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """A supervisor that answers.

    Attributes:
        pid: Its process.
        port: Its data port.
        url: Its data port as an address, such as `http://127.0.0.1:8080`.
        control: Path of its unix socket.
        file: Its `supervisor.json`, which tasks are told of in MILLRACE_SUPERVISOR.
    """

    pid: int
    port: int
    url: str
    control: str
    file: Path

    def endpoints(self) -> list[dict[str, Any]]:
        """List the endpoints, sorted by name.

        Returns:
            For each `name`, `url` (the infer address), `model_digest`, `revision`, `state`, `reason` and
            `model_uri` of the revision with the largest share (None before the first release), and as in
            the control API `revisions`: all of them, `weights`: percent by revision, `sticky`: the header
            or input whose value decides, or None, and `holder`: who is releasing now, or None.

        Raises:
            UnavailableError: It no longer answers.
        """
        return [_with_serving(one) for one in call_control(self.control, "GET", "/")["endpoints"]]

    def stop(self, name: str | None = None) -> None:
        """Stop one model, or all of them and the supervisor; returns when that is done.

        Raises:
            BadInputError: No such endpoint.
            UnavailableError: It does not answer or does not end.
        """
        if name is not None:
            if name not in (known := [one["name"] for one in self.endpoints()]):
                fix = f"served are: {', '.join(known) or 'none'}"
                raise BadInputError("no such endpoint", value=name, fix=fix)
            call_control(self.control, "DELETE", f"/endpoints/{name}")
            return
        call_control(self.control, "DELETE", "/")
        deadline = time.monotonic() + _STOP_SECONDS
        while not _has_ended(self.file.parent):
            if time.monotonic() > deadline:
                raise UnavailableError("the supervisor does not end", where=f"process {self.pid}")
            time.sleep(0.05)


def find_supervisor(root: Path) -> Supervisor | None:
    """Return the supervisor of a root when it answers, else None.

    Args:
        root: Folder of runs.

    Raises:
        BadInputError: `supervisor.json` is malformed.
    """
    folder = StateFolder.of(root)
    try:
        record = folder.read_supervisor()
        if record is None:
            return None
        answer = call_control(record.control, "GET", "/", timeout_seconds=10)
    except UnavailableError:
        return None
    found = Supervisor(**asdict(record), file=folder.supervisor_file)
    return found if answer["pid"] == found.pid else None


def running_supervisor(root: Path) -> Supervisor:
    """Return the supervisor of a root.

    Raises:
        UnavailableError: None answers.
    """
    supervisor = find_supervisor(root)
    if supervisor is None:
        fix = "`millrace serve` starts what served before"
        raise UnavailableError("nothing is being served", where=root, fix=fix)
    return supervisor


def start_detached(root: Path, port: int = DEFAULT_PORT) -> Supervisor:
    """Return the supervisor of a root, started if none answers; it outlives the caller.

    Args:
        root: Folder of runs.
        port: Data port; see `serve`.

    Returns:
        One that answers. Callers at the same moment get the same one.

    Raises:
        UnavailableError: It ended at once or does not answer; the last line of its log is in the error.
    """
    folder = StateFolder.of(root)
    folder.make()
    deadline = time.monotonic() + _START_SECONDS
    while (found := find_supervisor(root)) is None:
        lock = folder.try_lock("start.lock")
        if lock is None:  # another is starting it
            _wait(deadline, folder)
            continue
        try:
            return find_supervisor(root) or _start(root, port, folder, deadline)
        finally:
            os.close(lock)
    return found


def _start(root: Path, port: int, folder: StateFolder, deadline: float) -> Supervisor:
    log_start = folder.log_file.stat().st_size if folder.log_file.exists() else 0
    process = _spawn(root, port, folder)
    while (found := find_supervisor(root)) is None:
        if process.poll() is not None:
            told = last_line(folder.log_file, start=log_start)
            raise UnavailableError(f"the supervisor ended at once: {told}", where=folder.log_file)
        _wait(deadline, folder)
    return found


def _spawn(root: Path, port: int, folder: StateFolder) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-P", "-m", "pipelines.local.serving.supervisor",
        "--root", str(root.resolve()), "--port", str(port),
    ]  # fmt: skip
    descriptor = os.open(folder.log_file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, cwd="/",
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY)}, start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(descriptor)


def _wait(deadline: float, folder: StateFolder) -> None:
    if time.monotonic() > deadline:
        told = last_line(folder.log_file)
        raise UnavailableError(f"the supervisor does not answer: {told}", where=folder.log_file)
    time.sleep(0.05)


def _has_ended(folder: Path) -> bool:
    lock = StateFolder(path=folder).try_lock("lock")
    if lock is not None:
        os.close(lock)
    return lock is not None


def _with_serving(endpoint: dict[str, Any]) -> dict[str, Any]:
    keys = ("model_digest", "revision", "state", "reason", "model_uri")
    serving = max(endpoint["revisions"], key=lambda each: each["weight"], default={"weight": 0})
    told = {key: serving.get(key) if serving["weight"] else None for key in keys}
    kept = {key: endpoint.get(key) for key in ("revisions", "weights", "sticky", "holder")}
    return {"name": endpoint["name"], "url": endpoint["url"], **told, **kept}

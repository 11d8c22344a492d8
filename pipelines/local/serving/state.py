"""What a supervisor remembers over its own end: `state.json`, and where it is found: `supervisor.json`."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.documents import read_document
from components.common.errors import BadInputError
from components.common.storage import make_folder, publishing

DEFAULT_PORT = 8080


@dataclass(frozen=True, kw_only=True)
class ServingState:
    """Everything that is restored: `state.json`.

    Attributes:
        port: The data port it had, preferred again.
        endpoints: For each model name `{revisions: {revision: {model_uri, model_digest, engine}},
            weights: {revision: percent}, released: [{revision, model_uri, model_digest, engine}], sticky}`;
            `released` are those that had all requests, one after the other, the present one last, and
            `sticky` is the header or input whose value decides who answers, or None.
    """

    port: int | None = None
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SupervisorRecord:
    """A supervisor that answers: `supervisor.json`.

    Attributes:
        pid: Its process.
        port: Its data port.
        url: Its data port as an address.
        control: Path of its unix socket.
    """

    pid: int
    port: int
    url: str
    control: str


@dataclass(frozen=True, kw_only=True)
class StateFolder:
    """The folder `<root>/serving/`, readable by its owner alone.

    Attributes:
        path: The folder.
    """

    path: Path

    @classmethod
    def of(cls, root: Path) -> StateFolder:
        """Return the folder of a root, which need not exist."""
        return cls(path=root.resolve() / "serving")

    @property
    def supervisor_file(self) -> Path:
        """Path of `supervisor.json`; tasks find it in the environment variable MILLRACE_SUPERVISOR."""
        return self.path / "supervisor.json"

    @property
    def log_file(self) -> Path:
        """Path of `supervisor.log`."""
        return self.path / "supervisor.log"

    @property
    def models(self) -> Path:
        """Folder of the models that were fetched from a store to be served here, by their digests."""
        return self.path / "models"

    def make(self) -> None:
        """Make the folder and `logs/` in it, mode 0700."""
        for folder in (self.path, self.path / "logs"):
            make_folder(folder)
            folder.chmod(0o700)

    def read_state(self) -> ServingState:
        """Read `state.json`; nothing is remembered when there is none.

        Raises:
            BadInputError: It is malformed.
        """
        file = self.path / "state.json"
        return read_document(file, ServingState) if file.exists() else ServingState()

    def write_state(self, state: ServingState) -> None:
        """Replace `state.json` at once."""
        _write_private(self.path / "state.json", state)

    def read_supervisor(self) -> SupervisorRecord | None:
        """Read `supervisor.json`, or return None; that it exists does not mean that one answers."""
        try:
            return read_document(self.supervisor_file, SupervisorRecord)
        except BadInputError:
            if not self.supervisor_file.exists():  # asked afterwards: it may vanish at any moment
                return None
            raise

    def write_supervisor(self, record: SupervisorRecord) -> None:
        """Write `supervisor.json`."""
        _write_private(self.supervisor_file, record)

    def try_lock(self, name: str) -> int | None:
        """Lock a file of the folder until the returned descriptor is closed, or the process ends.

        Returns:
            The descriptor, or None when another process holds the lock.
        """
        descriptor = os.open(self.path / name, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor


def last_line(file: Path, *, start: int = 0) -> str:
    """Return the last line of a log that tells an error, else its last line, from a byte on."""
    if not file.exists():
        return "nothing was logged"
    with file.open("rb") as stream:
        stream.seek(max(start, file.stat().st_size - 65_536))
        text = stream.read().decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["nothing was logged"])[-1][:500]


def _write_private(path: Path, document: ServingState | SupervisorRecord) -> None:
    head = {"format": f"millrace/{type(document).__name__}", "format_version": 1}
    with publishing(path) as draft:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({**head, **dataclasses.asdict(document)}, indent=2) + "\n")

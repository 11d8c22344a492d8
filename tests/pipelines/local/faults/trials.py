"""Runs in processes of their own that can be killed, and what is to be found of a run afterwards."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import tempfile
import threading
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from components.common.errors import ComponentError
from components.common.storage import content_digest
from tests.pipelines.local.faults import crash

PATIENCE_SECONDS = 180.0
PROCESSES = threading.Lock()  # whoever starts one asks all how they ended, and each tells it only once
SITE = Path(__file__).with_name("site")
PRELOADED = [
    "asyncio", "jinja2", "ml_metadata.metadata_store.metadata_store", "pipelines.execution",
    "pipelines.local.runner", "kfp", "tests.pipelines.local.faults.trials",
]  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What must be the same after a kill as without one."""

    outputs: dict
    tasks: dict
    metadata: dict


@dataclass
class Trials:
    """Runs one package under roots of their own.

    Attributes:
        package: The package.
        parameters: Its parameters.
        folder: Where the roots are made.
        seconds: What the clean run took.
    """

    package: Path
    parameters: dict
    folder: Path
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def run(
        self, name: str, *, root: Path | None = None, at: list[str] | None = None,
        after: float | None = None, broken: str | None = None, patience: float | None = None,
    ) -> int:  # fmt: skip
        """Run, and be killed at a call or after some seconds, find a call broken, or wait less for locks.

        Returns how the process ended.
        """
        plan = {"at": at, "broken": broken, "patience": patience}
        return self.end(self.start(name, root or self.root(name), **plan), after)

    def go_on(self, name: str, *, root: Path | None = None, after: float | None = None) -> int:
        """Go on with the run of a root; when its record had not been written yet, run anew."""
        root = root or self.root(name)
        records = list(root.glob("*/*/run.json"))
        run_id = records[0].parent.name if records else None
        return self.end(self.start(name, root, run_id), after)

    def run_clean(self) -> None:
        """Run as one should, to know what is to be found."""
        assert self.run("clean") == 0, self.said("clean")
        (record,) = self.root("clean").glob("*/*/run.json")
        self.seconds = json.loads(record.read_text())["seconds"]

    def root(self, name: str) -> Path:
        return self.folder / name

    def trace(self, name: str) -> list[list[str]]:
        file = self.folder / f"{name}.trace"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def said(self, name: str) -> str:
        """Return what the process wrote since it was asked last."""
        file = self.folder / f"{name}.out"
        text = file.read_text()
        file.unlink()
        return text

    def start(self, name: str, root: Path, run_id: str | None = None, **plan):
        """Start a run, or go on with one; see `run`, and `grace`: seconds that tasks get to end."""
        (self.folder / f"{name}.tmp").mkdir(parents=True, exist_ok=True)
        beside = self.folder / name
        plan = {"root": str(root), "trace": f"{beside}.trace", **plan}
        arguments = (self.package, self.parameters, root, run_id, beside, plan)
        process = self._context.Process(target=_run, args=arguments)
        with PROCESSES:
            process.start()
        return process

    def end(self, process, after: float | None = None) -> int:
        """Wait for the end of a run, or kill it after some seconds; returns how it ended."""
        if after is not None and _ended(process, after) is None:
            crash.kill_machine(process.pid)
        code = _ended(process, PATIENCE_SECONDS)
        if code is None:
            crash.kill_machine(process.pid)
            raise AssertionError("the run did not end")
        return code


def _ended(process, seconds: float) -> int | None:
    """Return how a process ended, or None when it runs on after so long."""
    wait([process.sentinel], seconds)
    with PROCESSES:
        return process.exitcode


def _run(package: Path, parameters: dict, root: Path, run_id: str | None, beside: Path, plan: dict) -> None:
    """Run or go on, with everything that publishes wrapped; in a process of its own."""
    os.setsid()
    sys.stderr = sys.stdout = Path(f"{beside}.out").open("a")  # noqa: SIM115 - until the process ends
    os.environ["TMPDIR"] = tempfile.tempdir = f"{beside}.tmp"
    if run_id is None:
        os.environ[crash.PLAN] = json.dumps({**plan, "runner": os.getpid()})
        crash.install()
        crash.install_metadata()
    from pipelines.local import execute, run, store, variables

    execute.GRACE_SECONDS = plan.get("grace") or execute.GRACE_SECONDS

    store.Store.__init__.__kwdefaults__["patience_seconds"] = plan.get("patience") or store.PATIENCE_SECONDS
    variables.SOURCE_ROOT = f"{SITE}{os.pathsep}{variables.SOURCE_ROOT}"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = run(package, parameters, root=root) if run_id is None else run(resume=run_id, root=root)
    except ComponentError as error:
        print(f"error: {error}")  # noqa: T201 - as the command does
        raise SystemExit(error.exit_code) from None
    if result.error:
        print(f"error: {result.error}")  # noqa: T201 - as the command does
    raise SystemExit(result.exit_code)


def facts(root: Path) -> Facts:
    """Read the one complete run of a root: what it gave, and how it is recorded."""
    (file,) = root.glob("*/*/run.json")
    record = json.loads(file.read_text())
    assert record["state"] == "SUCCEEDED", record.get("error")
    tasks = {task["name"]: task["state"] for task in record["tasks"]}
    return Facts(outputs=outputs(record), tasks=tasks, metadata=_metadata(root))


def outputs(record: dict) -> dict:
    """Return what a run gave, its digests computed anew."""
    return _without_places(record["outputs"])


def _without_places(value):
    """Drop uris, and compute digests anew from what lies there."""
    if isinstance(value, list):
        return [_without_places(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "uri" in value and "digest" in value:
        found = Path(value["uri"])
        digest = content_digest(found) if found.exists() else ""
        assert digest == value["digest"], found
        if (found / "endpoint.json").exists():  # it says where the model lies
            digest = ""
        said = {key: one for key, one in value["metadata"].items() if key != "seconds"}  # a duration
        return {"digest": digest, "type": value["type"], "metadata": said}
    return {key: _without_places(inner) for key, inner in value.items()}


def _metadata(root: Path) -> dict:
    """Count what ML Metadata holds, straight from its tables."""
    questions = {
        "executions": "SELECT t.name, e.last_known_state FROM Execution e JOIN Type t ON t.id = e.type_id",
        "artifacts": "SELECT t.name, a.state FROM Artifact a JOIN Type t ON t.id = a.type_id",
        "events": "SELECT type, 0 FROM Event",
        "contexts": "SELECT t.name, 0 FROM Context c JOIN Type t ON t.id = c.type_id",
        "links": "SELECT 'parent', 0 FROM ParentContext UNION ALL SELECT 'executions', 0 FROM Association "
        "UNION ALL SELECT 'artifacts', 0 FROM Attribution",
    }
    with closing(sqlite3.connect(root / "metadata.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {name: dict(Counter(connection.execute(query))) for name, query in questions.items()}


def survived(trials, name):
    """Go on after a kill, and compare with the clean run."""
    code = trials.go_on(name)
    assert code == 0, trials.said(name)
    assert facts(trials.root(name)) == facts(trials.root("clean")), name


def kill_at(trials, number, point):
    name = f"point-{number}"
    ended = trials.run(name, at=point)
    assert ended == -signal.SIGKILL, (point, ended, trials.said(name))
    assert ["killed", *point] in trials.trace(name), point  # it was the planted kill
    survived(trials, name)


def kill_after(trials, seed):
    name, chance = f"random-{seed}", random.Random(seed)  # noqa: S311 - it must repeat
    seconds = chance.uniform(0.02, 1) * trials.seconds
    while (ended := trials.run(name, after=seconds)) != -signal.SIGKILL:
        assert ended == 0, trials.said(name)
        name, seconds = f"{name}-sooner", seconds * 0.7
    survived(trials, name)

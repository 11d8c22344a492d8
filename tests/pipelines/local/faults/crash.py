"""Kills a run and its tasks at a chosen call of those that publish something, as a dying machine would.

Wraps the calls from the outside, in the runner and, through `site/sitecustomize.py`, in its tasks: what
makes something appear under the root, or in ML Metadata. Standard library alone: every task imports it.
"""

import errno
import functools
import json
import os
import re
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

# JSON: root, runner, trace; at: [call, "before" or "after"] to be killed; broken: call that finds no room
PLAN = "MILLRACE_TEST_CRASH"
MLMD = ("put_contexts", "put_parent_contexts", "put_execution", "put_executions", "put_execution_type")

_seen: Counter[str] = Counter()


def kill_machine(runner: int) -> None:
    """End a process and all that it started, at once and unasked."""
    if runner != os.getpid():
        os.kill(runner, signal.SIGSTOP)  # it starts nothing more
    parents = _parents()
    all_of_it = [pid for pid in parents if runner in _above(pid, parents)]
    # What is above this process comes last: it takes this one along when it ends.
    mine = _above(os.getpid(), parents)
    for pid in [*(one for one in all_of_it if one not in mine), runner, *all_of_it]:
        if pid != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            found[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    return found


def _above(pid: int, parents: dict[int, int]) -> list[int]:
    found = []
    while (pid := parents.get(pid, 0)) > 1:
        found.append(pid)
    return found


def install() -> None:
    """Wrap what publishes, in this process and those that it forks."""
    if PLAN not in os.environ:
        return
    root = json.loads(os.environ[PLAN])["root"]
    for name in ("replace", "rename"):
        original = getattr(os, name)
        setattr(os, name, _wrapped(original, lambda old, new, *_, name=name, **__: _named(name, new, root)))
    fsync = os.fsync
    os.fsync = _wrapped(fsync, lambda fd: _named("fsync", os.readlink(f"/proc/self/fd/{fd}"), root))


def install_metadata() -> None:
    """Wrap what commits to ML Metadata; only the runner does."""
    from ml_metadata.metadata_store.metadata_store import MetadataStore

    for name in MLMD:
        original = getattr(MetadataStore, name)
        setattr(MetadataStore, name, _wrapped(original, lambda *_, name=name, **__: f"mlmd {name}"))


def _named(call: str, path: object, root: str) -> str | None:
    text = str(path)
    if not text.startswith(root + "/"):
        return None
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{6}", "RUN", text[len(root) + 1 :])
    text = re.sub(r"\.([^/]+)\.(tmp|old)-[0-9a-f]{12}", r"\2 of \1", text)
    return f"{call} {re.sub('[0-9a-f]{64}', 'KEY', text)}"


def _wrapped(original, name_of):
    @functools.wraps(original)
    def wrapper(*args, **kwargs):
        name = name_of(*args, **kwargs)
        if name is None:
            return original(*args, **kwargs)
        plan = json.loads(os.environ[PLAN])
        _seen[name] += 1
        call = f"{name} #{_seen[name]}"
        if call == plan.get("broken"):
            _tell(plan, ["broken", call])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _reach(plan, call, "before")
        done = original(*args, **kwargs)
        _reach(plan, call, "after")
        return done

    return wrapper


def _reach(plan: dict, call: str, when: str) -> None:
    if plan.get("at") != [call, when]:
        _tell(plan, [call, when])
        return
    _tell(plan, ["killed", call, when])
    kill_machine(plan["runner"])
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # never reached


def _tell(plan: dict, line: list[str]) -> None:
    trace = os.open(plan["trace"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(trace, json.dumps(line).encode() + b"\n")
    os.close(trace)

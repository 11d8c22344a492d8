"""A forked task is what its command would have started."""

# ruff: noqa: S311, SIM115, T201 - doors are one-liners here, in the types that KFP takes

import json
import os
import signal
from functools import partial

import pytest
from kfp import dsl

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def look() -> dict:
    import gc
    import logging
    import os
    import signal
    import sys
    import tempfile
    import threading

    mask = os.umask(0)
    os.umask(mask)
    ignored = {int(n) for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN}
    handled = {int(n) for n in signal.valid_signals() if callable(signal.getsignal(n)) and n != 2}
    return {
        "variables": dict(os.environ),
        "arguments": [a for a in sys.argv if "ephemeral_component" not in a],
        "original": [a for a in sys.orig_argv[-8:] if "ephemeral_component" not in a],
        "folder": os.getcwd(),
        "path": [p for p in sys.path if "tmp." not in p],
        "main": sys.modules["__main__"].__spec__.name,
        "foreign": sorted(m for m in sys.modules if m.split(".")[0] in ("pipelines", "components")),
        "executable": sys.executable,
        "flags": str(sys.flags),
        "umask": mask,
        "leads": [os.getsid(0) == os.getpgid(0), os.getpgid(0) in (os.getpid(), os.getppid())],
        "files": {f: os.readlink(f"/proc/self/fd/{f}").split(":")[0] for f in ("0", "1", "2")},
        "open": sum(
            int(f) > 2 and os.path.exists(f"/proc/self/fd/{f}") for f in os.listdir("/proc/self/fd")
        ),
        "threads": [len(os.listdir("/proc/self/task")), threading.active_count()],
        "temporary": tempfile.gettempdir(),
        "handlers": [str(handler) for handler in logging.getLogger().handlers],
        "level": logging.getLogger().level,
        "signals": [sorted(ignored), sorted(handled)],
        "collects": gc.isenabled(),
        "buffered": [sys.stdout.line_buffering, sys.stdout.write_through, sys.stdout.encoding],
    }


def test_task_sees_what_a_fresh_one_sees(parent, answer):
    fresh = answer(None, look, "fresh")
    forked = answer(parent(), look, "forked")
    assert {found.pop("temporary")[-10:] for found in (fresh, forked)} == {"/fresh-tmp", "forked-tmp"}
    as_fresh = json.loads(json.dumps(forked).replace("forked", "fresh"))
    assert as_fresh == fresh


def test_umask_and_ignored_hangup_are_those_of_the_runner(parent, answer):
    before, handler = os.umask(0o027), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        found = answer(parent(), look)
    finally:
        os.umask(before)
        signal.signal(signal.SIGHUP, handler)
    assert found["umask"] == 0o027
    assert int(signal.SIGHUP) in found["signals"][0]


TRACES = """
import logging, os, tempfile
tempfile.gettempdir()
logging.warning("sets up logging")
logging.getLogger().setLevel("ERROR")
os.environ["SET_BY_AN_IMPORT"] = "yes"
"""


def test_what_imports_leave_behind_does_not_reach_a_task(parent, answer, tmp_path):
    (tmp_path / "leaves_traces.py").write_text(TRACES)
    found = answer(parent("leaves_traces"), look)
    assert found["temporary"] == str(tmp_path / "task-tmp")
    assert found["handlers"] == ["<StreamHandler <stdout> (NOTSET)>"]
    assert found["level"] == 20
    assert found["variables"]["SET_BY_AN_IMPORT"] == "yes"  # as it is when the task imports the module


@door
def draw() -> dict:
    import random

    import numpy as np

    return {"python": random.random(), "numpy": float(np.random.random())}


def test_children_draw_different_random_numbers(parent, answer):
    warm = parent("numpy", "random")
    first, second = answer(warm, draw, "first"), answer(warm, draw, "second")
    assert first["python"] != second["python"]
    assert first["numpy"] != second["numpy"]


@door
def threads_of_blas() -> dict:
    import os

    import numpy as np

    a = np.ones((700, 700))
    a @ a
    return {"threads": len(os.listdir("/proc/self/task"))}


def test_linear_algebra_has_as_many_threads_as_in_a_fresh_process(parent, answer):
    fresh = answer(None, threads_of_blas, "fresh")
    assert answer(parent("numpy"), threads_of_blas, "forked") == fresh


@door
def new_module() -> dict:
    import comes_later

    return {"value": comes_later.VALUE}


def test_module_written_after_the_parent_began_is_found(parent, answer, tmp_path):
    warm = parent()
    (tmp_path / "comes_later.py").write_text("VALUE = 1")
    assert answer(warm, new_module) == {"value": 1}


@door
def leave_with_3():
    print("leaving")
    raise SystemExit(3)


@door
def leave_with_text():
    raise SystemExit("a reason")


@door
def fail():
    raise ValueError("no such thing")


@door
def vanish():
    import os

    os._exit(7)


@door
def die():
    import os

    os.kill(os.getpid(), 9)


@door
def interrupt():
    import os
    import signal

    os.kill(os.getpid(), signal.SIGINT)


@door
def say_goodbye():
    import atexit
    import threading
    import time

    def work():
        time.sleep(0.3)
        print("thread done")

    atexit.register(print, "goodbye")
    threading.Thread(target=work).start()
    global kept
    kept = open("kept", "w")
    kept.write("flushed")


@pytest.mark.parametrize(
    "ending",
    [leave_with_3, leave_with_text, fail, vanish, die, interrupt, say_goodbye],
    ids=lambda d: d.name,
)
def test_end_is_that_of_a_fresh_process(parent, task, tmp_path, ending):
    fresh = task(None, ending, "fresh").wait()
    forked = task(parent(), ending, "forked").wait()
    assert forked.exit_code == fresh.exit_code
    logs = [(tmp_path / f"{name}.log").read_text().splitlines() for name in ("fresh", "forked")]
    said = [[line for line in log if "KFP Executor" not in line and " " not in line[:1]] for log in logs]
    if ending is not die:  # the shell, which a forked task does not have, says `Killed`
        assert said[1][-1:] == said[0][-1:]
    kept = [tmp_path / name / "kept" for name in ("fresh", "forked")]
    assert [file.exists() and file.read_text() for file in kept] == [
        ending is say_goodbye and "flushed"
    ] * 2

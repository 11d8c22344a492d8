"""Where the processes of trials come from, and how they end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, threading, types

from components.training.run_module import run_module

if "imported" in sys.argv:
    sys.modules["tensorflow"] = types.ModuleType("tensorflow")
if "working" in sys.argv:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.modules["only_here"] = types.ModuleType("only_here")
seconds, errors = float(sys.argv[1]), "errors" in sys.argv
ended = run_module("job", "one", "two", timeout_seconds=seconds, keep_errors=errors)
print((ended.status, ended.errors, ended.reason), ended.status > 0 or ended.peak_bytes > 2**20)
print("still here", sys.argv[0])
"""

JOB = """
import sys, time
print(sys.argv[1:], __name__, "copy" if "only_here" in sys.modules else "fresh", flush=True)
if "complain" in open("how").read():
    print("as told", file=sys.stderr)
time.sleep(0 if "sleep" not in open("how").read() else 60)
sys.exit(5)
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "job.py").write_text(JOB)

    def run_script(*arguments, how=""):
        (tmp_path / "how").write_text(how)
        path = f"{tmp_path}{os.pathsep}{Path(__file__).parents[3]}"
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments], cwd=tmp_path, text=True, capture_output=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}, timeout=30,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run_script


def test_job_is_a_copy_where_tensorflow_is_imported_and_idle(run):
    assert run("20", "imported") == ["['one', 'two'] __main__ copy", "(5, '', None) True", "still here -c"]


@pytest.mark.parametrize("state", [[], ["imported", "working"]])
def test_job_is_fresh_elsewhere(run, state):
    assert run("20", *state) == ["['one', 'two'] __main__ fresh", "(5, '', None) True", "still here -c"]


@pytest.mark.parametrize(("state", "kind"), [([], "fresh"), (["imported"], "copy")])
def test_errors_of_a_job_are_kept_where_that_is_asked_for(run, state, kind):
    shown = run("20", *state, "errors", how="complain")
    assert shown == [f"['one', 'two'] __main__ {kind}", "(5, 'as told\\n', None) True", "still here -c"]


@pytest.mark.parametrize("state", [[], ["imported"]])
def test_job_that_takes_too_long_is_killed(run, state):
    assert run("1", *state, how="sleep")[1:] == ["(-9, '', 'time') True", "still here -c"]

"""A lineage store that is locked or damaged: it is waited for, or named, and the run goes on afterwards."""

import shutil
import subprocess
import sys
import time

import pytest

from pipelines.local.store import PATIENCE_SECONDS
from tests.pipelines.local.faults.trials import facts

HOLDER = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def hold(trials):
    """Let another process hold the store of a root, which has one run in it."""
    held = []

    def hold_for(name, seconds):
        root = trials.root(name)
        root.mkdir()
        shutil.copy(trials.root("clean") / "metadata.sqlite", root)
        command = [sys.executable, "-c", HOLDER, str(root / "metadata.sqlite"), str(seconds)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        process.stdout.readline()
        held.append(process)

    yield hold_for
    for process in held:
        process.kill()
        process.wait()
        process.stdout.close()


def told(trials, name):
    text = trials.said(name)
    assert "Traceback" not in text, text
    return text.strip().splitlines()[-1]


def test_patience_is_longer_than_half_a_minute():
    assert PATIENCE_SECONDS > 45


def test_store_that_is_locked_for_a_while_is_waited_for(trials, hold):
    hold("held", 3)
    began = time.monotonic()
    assert trials.run("held", patience=20.0) == 0, trials.said("held")
    assert time.monotonic() - began > 2.5


def test_store_that_stays_locked_ends_the_run_with_its_path_and_the_run_goes_on_later(trials, hold):
    hold("locked", 60)
    assert trials.run("locked", patience=1.0) == 4
    last = told(trials, "locked")
    assert str(trials.root("locked") / "metadata.sqlite") in last
    assert "database is locked" in last
    (trials.root("locked") / "metadata.sqlite").rename(trials.root("locked") / "aside")
    assert trials.go_on("locked") == 0, trials.said("locked")
    assert facts(trials.root("locked")) == facts(trials.root("clean"))


def damage(file, kind):
    content = file.read_bytes()
    if kind == "text":
        file.write_text("not a database at all\n" * 400)
    elif kind == "half":
        file.write_bytes(content[: len(content) // 2])
    elif kind == "page":  # the second page: of the table of all tables
        file.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])
    else:
        file.write_bytes(content[:100] + b"\x00" * 3996 + content[4096:])


@pytest.mark.parametrize("kind", ["text", "half", "page", "first"])
def test_damaged_store_is_named_and_a_run_that_had_begun_goes_on_with_a_new_one(trials, kind):
    name = f"damaged-{kind}"
    put = [call for call, when in trials.trace("clean") if call.startswith("mlmd put_execution #")]
    assert trials.run(name, at=[put[len(put) // 2], "after"]) == -9
    file = trials.root(name) / "metadata.sqlite"
    damage(file, kind)
    assert trials.go_on(name) == 2
    last = told(trials, name)
    assert f"{file} — move it away: a new one is made" in last, last
    file.unlink()
    file.with_name("metadata.sqlite-journal").unlink(missing_ok=True)
    assert trials.go_on(name) == 0, trials.said(name)
    assert facts(trials.root(name)) == facts(trials.root("clean"))

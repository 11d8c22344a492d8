"""The Makefile: short, helpful, and silent about nothing that is missing."""

import os
import re
import shutil
import subprocess

import pytest

from tests.house import ROOT

# Of the outer make, when it is `make test` that runs these.
OUTER = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PYTHON")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OUTER}

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def run_make(arguments, folder, environment):
    command = [shutil.which("make") or "make", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


@pytest.fixture
def checkout(tmp_path):
    """What the first steps of a setup need, and no environment."""
    for name in ("Makefile", "locks/uv.txt", "tools/preflight.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_make_alone_explains_every_verb():
    verbs = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)[0].split()
    shown = run_make([], ROOT, ENVIRONMENT)
    assert [line.split()[1] for line in shown.stdout.splitlines()] == verbs


def test_it_stays_a_page():
    assert len(MAKEFILE.splitlines()) <= 70


def test_machine_without_python_is_told_in_one_line_and_gets_nothing(checkout):
    (checkout / "bin").mkdir()
    done = run_make(["setup"], checkout, {**ENVIRONMENT, "PATH": str(checkout / "bin")})
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert done.returncode != 0
    assert said == ["preflight: no Python runs here — install Python 3.11 and its venv package"]
    assert not (checkout / ".tools").exists()


def test_python_that_is_named_and_unsupported_is_refused(checkout):
    done = run_make(["setup", "PYTHON=/no/such/python"], checkout, ENVIRONMENT)
    assert done.returncode != 0
    assert "/no/such/python is not there or does not run" in done.stderr
    assert not (checkout / ".tools").exists()

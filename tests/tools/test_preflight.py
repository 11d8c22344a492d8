"""The preflight: one line, before anything is downloaded. Expected bounds are those of the wheels."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT
from tools import preflight

SCRIPT = ROOT / "tools" / "preflight.py"
GLIBC = (2, 36)


def make_python(folder: Path, name: str, script: str) -> str:
    """Put an executable that answers as a Python might into a folder; return its path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def answering(version: str, lacking: str = "") -> str:
    major, minor = version.split(".")
    return f"printf '%s\\n' /usr/bin/python{version} {major} {minor} '{lacking}'"


def test_its_syntax_is_that_of_the_oldest_python_that_may_run_it():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("version", "glibc", "supported"),
    [
        ((3, 10), (2, 36), False),
        ((3, 11), (2, 28), True),
        ((3, 11), (2, 41), True),
        ((3, 12), (2, 38), False),
        ((3, 12), (2, 39), True),
        ((3, 13), (2, 36), False),
        ((3, 13), (2, 41), True),
        ((3, 14), (2, 41), False),
        ((3, 6), (2, 36), False),
    ],
)
def test_python_is_supported_where_wheels_exist(version, glibc, supported):
    assert (preflight.python_problem(version, glibc, []) is None) == supported


@pytest.mark.parametrize(
    ("system", "machine", "glibc", "said"),
    [
        ("Linux", "x86_64", (2, 36), None),
        ("Linux", "aarch64", (2, 36), "aarch64"),
        ("Darwin", "x86_64", (), "Darwin"),
        ("Linux", "x86_64", (), "no glibc"),
        ("Linux", "x86_64", (2, 17), "2.17"),
    ],
)
def test_machine_is_named_when_no_wheel_runs_on_it(system, machine, glibc, said):
    problem = preflight.machine_problem(system, machine, glibc)
    assert problem is None if said is None else said in (problem or "")


def test_first_python_that_can_be_used_is_chosen(tmp_path):
    names = [
        str(tmp_path / "absent"),
        make_python(tmp_path, "shim", "echo 'command not found' >&2; exit 127"),
        make_python(tmp_path, "newer", answering("3.12")),
        make_python(tmp_path, "bare", answering("3.11", "ensurepip")),
        make_python(tmp_path, "good", answering("3.11")),
        make_python(tmp_path, "late", answering("3.11")),
    ]
    assert preflight.choose_python(names, GLIBC) == ("/usr/bin/python3.11", "")


def test_every_python_that_runs_is_named_with_its_reason(tmp_path):
    names = [
        make_python(tmp_path, "newer", answering("3.12")),
        make_python(tmp_path, "bare", answering("3.11", "ensurepip venv")),
    ]
    python, reason = preflight.choose_python(names, GLIBC)
    assert python is None
    assert "newer (3.12) needs glibc 2.39, here is 2.36" in reason
    assert "bare lacks ensurepip, venv (Debian and Ubuntu: apt-get install python3.11-venv)" in reason


def test_too_little_disk_names_the_folder_and_both_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(preflight, "free_gib", lambda path: 2.0)
    (problem,) = preflight.space_problems(str(tmp_path), str(tmp_path))
    assert problem == f"needs 9 GiB of disk at {tmp_path}, but 2.0 are free"


def test_too_little_memory_is_said_with_both_numbers():
    assert preflight.memory_problem(2.0) == "needs 4 GiB of memory, but there are 2.0"
    assert preflight.memory_problem(4.0) is None


def test_cache_folder_is_the_nearest_parent_that_exists(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "not" / "there"))
    assert preflight.cache_folder() == str(tmp_path)


def test_what_is_unsupported_is_one_line_on_standard_error():
    command, plain = [sys.executable, SCRIPT, "/no/such/python"], {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, env=plain)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "/no/such/python is not there or does not run" in done.stderr


def test_this_python_is_supported_and_printed():
    done = subprocess.run([sys.executable, SCRIPT, sys.executable], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, sys.executable)

"""`make test` counts everything that ran, and fails for what did not; pytest itself runs here."""

import subprocess
import sys

import pytest

from tests.house import ROOT
from tools import run_tests

PASSES = "def test_good():\n    pass\n"
SYSTEM = "import pytest\n\npytestmark = pytest.mark.system\n\n\ndef test_screen():\n    pass\n"
MIXED = (
    "import pytest\n\n\n@pytest.mark.system\ndef test_screen():\n    pass\n\n\n"
    "@pytest.mark.skip(reason='no')\ndef test_later():\n    pass\n\n\ndef test_good():\n    pass\n"
)


@pytest.fixture
def run(tmp_path):
    """Write test files into a repository with both environments and run the tool there."""
    for environment in (".venv", ".venv-validation"):
        python = tmp_path / environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "-q --import-mode=importlib"\n'
        'markers = ["system: x", "faults: y"]\n'
    )

    def run_with(files, *arguments):
        for name, text in files.items():
            path = tmp_path / "tests" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        command = [sys.executable, ROOT / "tools" / "run_tests.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()

    return run_with


def test_results_of_both_environments_are_added(run):
    files = {
        "components/common/test_a.py": PASSES,  # in both environments
        "components/data_validation/test_b.py": PASSES,
        "components/training/test_c.py": MIXED,
        "pipelines/test_d.py": SYSTEM,
    }
    status, lines = run(files)
    assert (status, lines[-1]) == (0, "4 passed, 0 failed, 1 skipped")
    assert "— .venv-validation: 2 files" in lines
    assert "— .venv: 2 files" in lines


def test_system_tests_run_on_their_own(run):
    status, lines = run({"test_a.py": MIXED, "test_b.py": SYSTEM, "test_c.py": PASSES}, "--system")
    assert (status, lines[-1]) == (0, "2 passed, 0 failed, 0 skipped")


def test_tests_of_faults_run_on_their_own(run):
    faults = SYSTEM.replace("system", "faults")
    status, lines = run({"test_a.py": faults, "test_b.py": SYSTEM, "test_c.py": PASSES}, "--faults")
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 0 skipped")
    status, lines = run({})
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 0 skipped")


def test_no_system_test_at_all_is_no_failure(run):
    assert run({"test_c.py": PASSES}, "--system") == (0, ["0 passed, 0 failed, 0 skipped"])


def test_failures_and_broken_imports_count_as_failed(run):
    files = {
        "test_a.py": "def test_bad():\n    assert 1 == 2\n",
        "test_b.py": "import no_such_module_anywhere\n",
        "test_c.py": PASSES,
    }
    status, lines = run(files)
    # pytest stops at a file that cannot be imported, so nothing else of that environment ran
    assert status == 1
    assert int(lines[-1].split()[2]) >= 1
    assert any(line.startswith("no test of tests/test_c.py ran") for line in lines)


def test_failed_test_fails_the_run(run):
    status, lines = run({"test_a.py": "def test_bad():\n    assert 1 == 2\n"})
    assert (status, lines[-1]) == (1, "0 passed, 1 failed, 0 skipped")


def test_file_of_which_everything_is_skipped_ran_nowhere(run):
    skipped = "import pytest\n\npytest.skip('not here', allow_module_level=True)\n"
    status, lines = run({"test_a.py": skipped, "test_b.py": PASSES})
    assert (status, lines[-1]) == (1, "1 passed, 1 failed, 1 skipped")
    assert any(line.startswith("no test of tests/test_a.py ran") for line in lines)


def test_pytest_that_dies_is_a_failure(run):
    status, lines = run({"test_a.py": "import os\n\n\ndef test_dies():\n    os._exit(0)\n"})
    assert status == 1
    assert lines[-1] == "0 passed, 1 failed, 0 skipped"


def test_every_test_file_here_belongs_to_an_environment():
    files = run_tests.wanted_files(ROOT, mark=None)
    plan = run_tests.by_environment(files)
    assert files
    assert {file for environment in plan.values() for file in environment} == set(files)

"""Runs pytest once in each environment, over the rooms that it holds, and counts the results together.

Usage: `python tools/run_tests.py [--system | --faults | --images | --cluster]`. The last line is
`N passed, M failed, K skipped`. Errors count as failures, and so do a pytest that died and a test file of
which nothing ran anywhere: it would otherwise look like one that passes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET  # reads only what pytest wrote just now
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VALIDATION, LOCAL = ".venv-validation", ".venv"
COMMON = "tests/components/common/"  # runs in every image, and so is tested in both
ROOMS_OF_VALIDATION = ("tests/components/data_validation/", COMMON)

NOTHING_COLLECTED = 5
MARKS = ("system", "faults", "images", "cluster")  # tests with a verb of their own
ALL_OF_IT = r"^pytestmark = (\[.*)?pytest\.mark\.({marks})\b"
SOME_OF_IT = r"^(\s*@|pytestmark = .*)pytest\.mark\.({marks})\b"


@dataclass
class Results:
    """What came out, over all environments.

    Attributes:
        passed: Number of tests.
        failed: Number of tests that failed or broke, of dead pytests and of files that ran nowhere.
        skipped: Number of tests.
        files: Test files of which at least one test passed or failed.
    """

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    files: set[str] = field(default_factory=set[str])

    def add_report(self, report: Path) -> None:
        """Add one JUnit report, written with `junit_family=xunit1` so that it names the files."""
        for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - our own pytest's file
            outcomes = {child.tag for child in case}
            if "failure" in outcomes or "error" in outcomes:
                self.failed += 1
            elif "skipped" in outcomes:
                self.skipped += 1
                continue
            else:
                self.passed += 1
            self.files.add(case.get("file", ""))

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def wanted_files(root: Path, *, mark: str | None) -> list[str]:
    """List the test files of which something must run, as sorted POSIX paths relative to the root.

    Args:
        root: The repository.
        mark: The mark of the tests that are meant; None for those that have none of `MARKS`.
    """
    some = re.compile(SOME_OF_IT.format(marks=mark), re.MULTILINE)
    all_marked = re.compile(ALL_OF_IT.format(marks="|".join(MARKS)), re.MULTILINE)
    found: list[str] = []
    for file in sorted((root / "tests").rglob("test_*.py")):
        text = file.read_text(encoding="utf-8")
        if some.search(text) if mark else not all_marked.search(text):
            found.append(file.relative_to(root).as_posix())
    return found


def by_environment(files: Iterable[str]) -> dict[str, list[str]]:
    """Return which of the files each environment runs."""
    plan: dict[str, list[str]] = {VALIDATION: [], LOCAL: []}
    for file in files:
        if file.startswith(ROOMS_OF_VALIDATION):
            plan[VALIDATION].append(file)
        if file.startswith(COMMON) or not file.startswith(ROOMS_OF_VALIDATION):
            plan[LOCAL].append(file)
    return plan


def run_all(plan: Mapping[str, Sequence[str]], *, mark: str | None) -> Results:
    """Run each environment's files and add up what came out."""
    results = Results()
    with tempfile.TemporaryDirectory() as scratch:
        for environment, files in plan.items():
            if files:
                print(f"— {environment}: {len(files)} files", flush=True)
                _run_one(environment, files, mark, Path(scratch, f"{environment}.xml"), results)
    return results


def _run_one(
    environment: str, files: Sequence[str], mark: str | None, report: Path, results: Results
) -> None:
    pytest = [f"{environment}/bin/python", "-m", "pytest", "-m", mark or f"not ({' or '.join(MARKS)})"]
    settings = ["-o", "junit_family=xunit1", "-o", f"cache_dir=.pytest_cache/{environment}"]
    command = [*pytest, f"--junitxml={report}", *settings, *files]
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    failed_before = results.failed
    if report.exists():
        results.add_report(report)
    explained = status in (0, NOTHING_COLLECTED) or results.failed > failed_before
    if not explained:
        print(f"pytest in {environment} ended with {status} and named no failed test")
        results.failed += 1


def main(arguments: Sequence[str]) -> int:
    """Run the tests from the repository's root; 0 when nothing failed."""
    mark = next((name for name in MARKS if f"--{name}" in arguments), None)
    files = wanted_files(Path.cwd(), mark=mark)
    results = run_all(by_environment(files), mark=mark)
    for file in sorted(set(files) - results.files):
        print(f"no test of {file} ran; a file of marked tests only says `pytestmark = pytest.mark.…`")
        results.failed += 1
    print(results)
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

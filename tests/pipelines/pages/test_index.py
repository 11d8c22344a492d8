"""The page of all runs, and the page that `millrace open` finds."""

import json
import re
import stat
import threading
from pathlib import Path

import pytest

from components.common.errors import BadInputError, UnavailableError
from pipelines.cli import app
from pipelines.local.claim import Claim
from pipelines.pages.index import write_index
from pipelines.pages.report import write_report
from pipelines.pages.showing import find_page, show_page


@pytest.fixture
def root(complete, record):
    """Two runs: one that was refused, and the newest, which went all the way."""
    for one in (complete, record):
        folder = Path(one["directory"])
        (folder / "run.json").write_text(json.dumps(one))
        write_report(one, folder)
    return Path(complete["directory"]).parents[1]


def test_the_page_lists_runs_with_their_state_metrics_and_reasons(root):
    text = write_index(root).read_text()
    assert re.findall(r'href="([^"]+)"', text) == ["training/r2/report.html", "training/r1/report.html"]
    assert all((root / link).is_file() for link in re.findall(r'href="([^"]+)"', text))
    assert "training · houses" in text
    assert "mse of 1 runs, between 25 and 25" in text
    assert "column `x` is &lt;all&gt; empty" in text


def test_a_sparkline_has_the_oldest_run_on_the_left_and_a_gap_where_nothing_was_measured(root, complete):
    for number, value in ((3, 20.0), (4, None), (5, 15.0), (6, 10.0)):
        copy_run(complete, f"r{number}", value)
    text = write_index(root).read_text()
    assert "mse of 4 runs, between 10 and 25" in text
    lines = [[tuple(map(float, point.split(","))) for point in line.split()]
             for line in re.findall(r'points="([^"]+)"', text)]  # fmt: skip
    # 25 and 20, then a gap, then 15 and 10: y grows downwards, so each falls
    assert [len(line) for line in lines] == [2, 2]
    assert all(line[0][0] < line[1][0] and line[0][1] < line[1][1] for line in lines)


def copy_run(record, run_id, value):
    folder = Path(record["directory"]).with_name(run_id)
    folder.mkdir()
    outputs = {}
    if value is not None:
        content = json.loads((Path(record["directory"]) / "evaluation" / "evaluation.json").read_text())
        content["metrics"]["mse"]["value"] = value
        (folder / "evaluation").mkdir()
        (folder / "evaluation" / "evaluation.json").write_text(json.dumps(content))
        outputs = {"evaluate": {"evaluation": {"uri": str(folder / "evaluation")}}}
    copy = {**record, "run_id": run_id, "directory": str(folder), "outputs": outputs}
    (folder / "run.json").write_text(json.dumps(copy))


def test_no_run_and_a_damaged_one_are_shown(tmp_path):
    assert "No runs here yet" in write_index(tmp_path / "new").read_text()
    (tmp_path / "training" / "bad").mkdir(parents=True)
    (tmp_path / "training" / "bad" / "run.json").write_text("{")
    assert "damaged" in write_index(tmp_path).read_text()


def test_runs_that_end_at_the_same_moment_are_all_in_the_page(root, complete):
    def end(number):
        copy_run(complete, f"s{number}", 1.0)
        write_index(root)

    threads = [threading.Thread(target=end, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = (root / "index.html").read_text()
    assert all(f"s{number}" in text for number in range(8))


def open_run(root, *more):
    from typer.testing import CliRunner

    return CliRunner().invoke(app, ["open", "--root", str(root), *more])


def test_open_prints_the_newest_page_or_that_of_a_run_without_any_screen(root, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert open_run(root).stdout.strip().endswith("training/r2/report.html")
    assert open_run(root, "r1").stdout.strip().endswith("training/r1/report.html")
    assert open_run(root).exit_code == 0


def test_open_shows_the_page_in_the_browser_there_is(root, tmp_path, monkeypatch):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/shown\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", str(browser))
    assert show_page(find_page(root, "r1"))
    assert (tmp_path / "shown").read_text().strip().endswith("r1/report.html")


def test_a_browser_that_does_not_start_is_no_failure(root, monkeypatch):
    monkeypatch.setenv("BROWSER", "/bin/false")
    monkeypatch.setattr("webbrowser._tryorder", None)
    show_page(find_page(root, "r1"))
    assert open_run(root).exit_code == 0


def test_a_killed_run_gets_its_page_when_it_is_asked_for(root, complete):
    (Path(complete["directory"]) / "report.html").unlink()
    (Path(complete["directory"]) / "run.json").write_text(json.dumps({**complete, "state": "RUNNING"}))
    assert "its process ended without a word" in find_page(root, "r2").read_text()


def test_a_run_under_way_has_no_page_yet(root, complete):
    folder = Path(complete["directory"])
    (folder / "report.html").unlink()
    (folder / "run.json").write_text(json.dumps({**complete, "state": "RUNNING"}))
    claim = Claim(root, folder)
    try:
        with pytest.raises(UnavailableError, match="under way"):
            find_page(root, None)
    finally:
        claim.release()


def test_an_unknown_run_is_told_with_the_nearest(root):
    with pytest.raises(BadInputError, match="did you mean `r2`"):
        find_page(root, "r22")
    with pytest.raises(BadInputError, match="no runs here yet"):
        find_page(root / "none", None)

"""`millrace demo`, short: the loop is closed, sabotage is refused, and nothing is left running."""

import re
import signal
import subprocess
import time

import pytest

from components.common.errors import BadInputError
from pipelines.demo.play import Demo
from pipelines.local.history import list_runs
from pipelines.local.serving.client import find_supervisor
from tests.typed import MILLRACE

SHORT = ["demo", "--months", "2", "--root"]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo")
    ended = subprocess.run([*MILLRACE, *SHORT, root], capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr
    [folder] = root.iterdir()
    return folder


def test_january_serves_february_is_checked_and_sabotage_is_refused(played):
    runs = {run["run_id"]: run for run in list_runs(played)}
    newest = [(run["pipeline"], run["state"]) for run in runs.values()]
    assert newest[-1] == ("training", "SUCCEEDED")
    assert newest[-2][0] == "screening"
    assert newest[0] == ("training", "REFUSED")
    sabotaged = next(iter(runs.values()))
    assert sabotaged["parameters"]["search_space"]["learning_rate"] == 1e-7
    assert "the same revision gave the same answers" in (played / "demo.html").read_text()


def test_its_page_links_to_every_run_and_nowhere_else(played):
    text = (played / "demo.html").read_text()
    links = set(re.findall(r'href="([^"]+)"', text))
    assert all((played / link).is_file() for link in links)
    assert len(links) == len(list_runs(played)) + 1  # and the page of all runs


def test_it_ends_its_server(played):
    assert find_supervisor(played) is None


def test_ctrl_c_ends_everything_and_leaves_the_page(tmp_path):
    process = subprocess.Popen(
        [*MILLRACE, *SHORT, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/training/*/run.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 130, told
    [folder] = tmp_path.iterdir()
    assert "cancelled" in (folder / "demo.html").read_text()
    assert "Traceback" not in told
    assert find_supervisor(folder) is None


@pytest.mark.parametrize(("months", "rows"), [(1, 6_000), (13, 6_000), (12, 10)])
def test_a_number_out_of_range_is_told_before_anything_happens(months, rows, tmp_path):
    with pytest.raises(BadInputError, match="must be in"):
        Demo(tmp_path / "demo", months=months, rows=rows, say=print)
    assert not (tmp_path / "demo").exists()

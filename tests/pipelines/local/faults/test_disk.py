"""No room, no right to write: one line that says so, nothing half, and a run that goes on when it can."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.pipelines.local.faults.trials import facts


def mount(folder, *options):
    return subprocess.run(["mount", *options, folder], capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path):
    """A file system that can be made smaller, larger and read-only; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount(folder, "-t", "tmpfs", "-o", "size=64m", "tmpfs"):
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def told(trials, name):
    text = trials.said(name)
    assert "Traceback" not in text, text
    return text.strip().splitlines()[-1]


@pytest.mark.parametrize("room", [40, 200, 290, 350])  # KiB: the package, the lineage, some tasks
def test_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(trials, disk, room):
    name, root = f"full-{room}", disk / "runs"
    assert mount(disk, "-o", f"remount,size={room}k")
    code = trials.run(name, root=root)
    last = told(trials, name)
    assert code in (1, 4), last
    assert "No space left on device" in last or "database or disk is full" in last, last
    assert mount(disk, "-o", "remount,size=64m")
    assert trials.go_on(name, root=root) == 0, trials.said(name)
    assert facts(root) == facts(trials.root("clean"))


def calls(trials):
    """Choose calls of the runner that write: the drafts of all kinds of files, the first of each.

    Pages are not among them: a page that cannot be written is told, and the run ends as it would have.
    """
    found = [call for call, when in trials.trace("clean") if when == "before"]
    drafts = [call for call in found if re.search(r"^fsync .*tmp of .* #1$", call)]
    return [call for call in drafts if "/artifacts/" not in call and ".html" not in call]


def find_no_room(trials, number, call):
    name = f"broken-{number}"
    code = trials.run(name, broken=call)
    assert ["broken", call] in trials.trace(name)
    last = told(trials, name)
    assert code == 4, (call, last)
    assert "No space left on device" in last, (call, last)
    assert "bytes are free" in last
    assert trials.go_on(name) == 0, trials.said(name)
    assert facts(trials.root(name)) == facts(trials.root("clean")), call


def test_write_that_finds_no_room_ends_the_run_in_one_line_and_it_goes_on_later(trials):
    chosen = calls(trials)
    assert len(chosen) >= 10
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda job: find_no_room(trials, *job), enumerate(chosen)))


def test_root_that_cannot_be_written_is_named_before_anything_runs(trials, disk):
    assert mount(disk, "-o", "remount,ro")
    assert trials.run("read-only", root=disk / "runs") == 2
    last = told(trials, "read-only")
    assert f"{disk}/runs" in last
    assert "Read-only file system" in last

"""Outputs are complete or absent, and known by their content."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.common.errors import BadInputError
from components.common.storage import content_digest, file_digest, publishing


def test_a_file_appears_whole_and_leaves_no_draft(tmp_path: Path):
    with publishing(tmp_path / "deep" / "file.txt") as draft:
        draft.write_text("whole")
        assert not (tmp_path / "deep" / "file.txt").exists()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file.txt"]


def test_a_folder_replaces_the_one_before(tmp_path: Path):
    for name in ("first", "second"):
        with publishing(tmp_path / "folder") as draft:
            draft.mkdir()
            (draft / name).write_text(name)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["second"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("faster", ["puts its own there", "moves it away"])
def test_another_that_is_faster_is_replaced_too(faster, tmp_path: Path, monkeypatch):
    target, rename = tmp_path / "out", Path.rename
    (target / "old").mkdir(parents=True)

    def meddle(self, to):
        monkeypatch.setattr(Path, "rename", rename)
        if faster == "moves it away":
            rename(self, tmp_path / "elsewhere")
        found = rename(self, to)
        (target / "another").mkdir(parents=True)
        return found

    monkeypatch.setattr(Path, "rename", meddle)
    with publishing(target) as draft:
        (draft / "new").mkdir(parents=True)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "elsewhere"}


def test_an_error_leaves_what_was_there_before(tmp_path: Path):
    target = tmp_path / "file.txt"
    target.write_text("old")

    def fail_half_way():
        with publishing(target) as draft:
            draft.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_kill_while_writing_leaves_the_target_absent(tmp_path: Path):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from components.common.storage import publishing\n"
        "with publishing(Path(sys.argv[1])) as draft:\n"
        "    draft.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = tmp_path / "file.txt"
    ended = subprocess.run([sys.executable, "-c", code, str(target)], env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == -signal.SIGKILL  # the kill happened
    assert not target.exists()


def test_file_digest_is_sha256_as_hashlib_gives_it(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    assert file_digest(tmp_path / "file") == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_content_digest_ignores_what_is_no_content_and_sees_the_rest(tmp_path: Path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("graph")
    plain = content_digest(tmp_path)
    (tmp_path / "1" / "fingerprint.pb").write_text("random")
    (tmp_path / "report.html").write_text("<p>")
    (tmp_path / ".part.tmp-1").write_text("half")
    os.utime(tmp_path / "1" / "saved_model.pb", (1, 1))
    assert content_digest(tmp_path) == plain
    (tmp_path / "1" / "saved_model.pb").rename(tmp_path / "1" / "other.pb")
    assert content_digest(tmp_path) != plain


def test_an_empty_and_a_missing_folder_differ(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert content_digest(tmp_path / "empty") == hashlib.sha256(b"").hexdigest()
    with pytest.raises(FileNotFoundError):
        content_digest(tmp_path / "missing")


def test_a_folder_below_a_file_is_refused_by_name(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(BadInputError, match="folder cannot be made: Not a directory"),
        publishing(tmp_path / "file" / "inside" / "out.txt"),
    ):
        pass

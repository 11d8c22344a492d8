"""Each artifact is read back as it was written, and a malformed one is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.common.artifacts import (
    Evaluation,
    ModelRecord,
    Snapshot,
    Verdict,
    baseline_model,
    read_model_record,
    read_snapshot,
    read_verdict,
    split_files,
    twin_obstacle,
    write_evaluation,
    write_model_record,
    write_no_baseline,
    write_snapshot,
    write_verdict,
)
from components.common.errors import BadInputError, RefusedError
from components.common.halt import halt_unless

SNAPSHOT = Snapshot(
    version="ab", sources={}, query=None, split={}, rows={"train": 1}, columns={"x": "float"}
)
RECORD = ModelRecord(
    task="binary", label="y", classes=["0", "1"], trial=0, hyperparameters={}, validation={}, digests={}
)
EVALUATION = Evaluation(
    recipe="",
    model="",
    baseline=None,
    rows=0,
    metrics={},
    slices=[],
    thresholds={},
    passed=True,
    reasons=[],
)


def test_a_snapshot_comes_back_as_it_went(tmp_path: Path):
    write_snapshot(tmp_path, SNAPSHOT)
    assert read_snapshot(tmp_path) == SNAPSHOT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not readable as JSON"),
        ("[]", "must be a JSON object"),
        ('{"format": "millrace/Verdict", "format_version": 1}', "not a millrace/Snapshot file"),
        ('{"format": "millrace/Snapshot", "format_version": 2}', "of another version"),
        ('{"format": "millrace/Snapshot", "format_version": 1, "colour": 1}', "malformed"),
    ],
)
def test_a_malformed_document_is_named(text, message, tmp_path: Path):
    (tmp_path / "snapshot.json").write_text(text)
    with pytest.raises(BadInputError, match=message) as caught:
        read_snapshot(tmp_path)
    assert str(tmp_path / "snapshot.json") in str(caught.value)


def test_a_missing_document_says_what_to_do(tmp_path: Path):
    with pytest.raises(BadInputError, match="file is missing"):
        read_verdict(tmp_path)


def test_a_split_without_files_is_named(tmp_path: Path):
    with pytest.raises(BadInputError, match="split `eval`"):
        split_files(tmp_path, "eval")


@pytest.mark.parametrize(
    ("twin", "obstacle"),
    [
        ({}, "no twin was derived"),
        ({"proven": False, "reason": "row 7 differs"}, "row 7 differs"),
        ({"proven": True, "reason": None}, None),
        ({"proven": False}, "no twin was derived"),
    ],
)
def test_a_twin_serves_only_when_it_was_proven(tmp_path: Path, twin, obstacle):
    write_evaluation(tmp_path, replace(EVALUATION, twin=twin))
    assert twin_obstacle(tmp_path) == obstacle


NO_TWINS = [
    None, [], ["proven"], "proven", 1, True, {"proven": "yes"}, {"proven": 1}, {"proven": None},
    {"proven": False, "reason": 7}, {"proven": False, "reason": ["a", "list"]},
]  # fmt: skip


@pytest.mark.parametrize("twin", NO_TWINS)
def test_a_twin_of_another_type_is_an_error_by_name(tmp_path: Path, twin):
    write_evaluation(tmp_path, EVALUATION)
    write_model_record(tmp_path, RECORD)
    for name, read in (("evaluation.json", twin_obstacle), ("model.json", read_model_record)):
        content = json.loads((tmp_path / name).read_text())
        (tmp_path / name).write_text(json.dumps({**content, "twin": twin}))
        with pytest.raises(BadInputError, match=f"`twin` must be an object.*{name}"):
            read(tmp_path)


def test_no_baseline_a_baseline_and_neither_are_told_apart(tmp_path: Path):
    write_no_baseline(tmp_path / "none")
    assert baseline_model(tmp_path / "none") is None
    write_model_record(tmp_path / "model", RECORD)
    assert baseline_model(tmp_path / "model") == tmp_path / "model"
    with pytest.raises(BadInputError, match="file is missing"):
        baseline_model(tmp_path / "neither")


def test_halt_lets_a_passed_verdict_go_on(tmp_path: Path):
    write_verdict(tmp_path, Verdict(passed=True, outcome="clean"))
    halt_unless(True, tmp_path)


def test_halt_refuses_with_the_first_reason_and_prints_all(tmp_path: Path, capsys):
    reasons = ["column `a` vanished", "column `b` is new"]
    write_verdict(tmp_path, Verdict(passed=False, outcome="anomalous", reasons=reasons))
    with pytest.raises(RefusedError, match=r"anomalous: column `a` vanished \(and 1 more\)"):
        halt_unless(False, tmp_path)
    assert capsys.readouterr().out.splitlines() == [f"anomalous: {reason}" for reason in reasons]


def test_halt_refuses_when_verdict_and_file_disagree(tmp_path: Path):
    write_verdict(tmp_path, Verdict(passed=False, outcome="anomalous"))
    with pytest.raises(RefusedError):
        halt_unless(True, tmp_path)

"""A model's digest names what it computes, and its seal tells of every change."""

from pathlib import Path

import pytest

from components.common.artifacts import ModelRecord, Signature, write_model_record, write_signature
from components.common.documents import read_json
from components.common.errors import BadInputError
from components.common.golden import write_golden_requests
from components.common.seal import model_digest, seal_model, verify_model
from components.common.storage import file_digest

RECORD = ModelRecord(
    task="binary", label="y", classes=["0", "1"], trial=0, hyperparameters={}, validation={}, digests={}
)


def test_judging_a_model_does_not_rename_it_and_changing_it_does(tmp_path: Path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("graph")
    write_signature(tmp_path, Signature(inputs=[], outputs=[]))
    write_model_record(tmp_path, RECORD)
    bare = model_digest(tmp_path)
    write_golden_requests(tmp_path, [{"inputs": {"x": None}, "outputs": {"probability": 0.5}}])
    seal_model(tmp_path)
    assert model_digest(tmp_path) == bare
    sealed = read_json(tmp_path / "digest.json")
    assert sealed["model"] == bare
    assert sealed["files"]["1/saved_model.pb"] == file_digest(tmp_path / "1" / "saved_model.pb")
    (tmp_path / "1" / "saved_model.pb").write_text("another")
    assert model_digest(tmp_path) != bare


def test_a_twin_is_part_of_what_names_a_model(tmp_path: Path):
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "program.json").write_text("{}")
    write_signature(tmp_path, Signature(inputs=[], outputs=[]))
    write_model_record(tmp_path, RECORD)
    seal_model(tmp_path)
    assert verify_model(tmp_path) == model_digest(tmp_path)
    named = model_digest(tmp_path)
    (tmp_path / "twin" / "program.json").write_text("{} ")
    assert model_digest(tmp_path) != named
    with pytest.raises(BadInputError, match=r"twin.program\.json"):
        verify_model(tmp_path)

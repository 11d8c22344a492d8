"""A program is read back as it was written, its bytes repeat, and every malformed one is named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.common.errors import BadInputError
from components.common.storage import content_digest
from components.common.twin.program import (
    Input,
    Output,
    Program,
    Step,
    Table,
    read_program,
    write_program,
)


def strings(*values):
    found = np.empty(len(values), np.object_)
    found[:] = values
    return found


PROGRAM = Program(
    inputs=[Input(name="Ankunft (h)", datatype="BYTES", value="x0")],
    outputs=[Output(name="prediction", value="v1")],
    steps=[
        Step(operation="LookupTableFindV2", inputs=["t0", "x0", "c0"], outputs=["v0"], attributes={}),
        Step(operation="Cast", inputs=["v0"], outputs=["v1"], attributes={"DstT": "float32"}),
    ],
    constants={"c0": np.array(-1, np.int64), "c1": strings(b"\x00", "ä".encode(), b"", b"\xff")},
    tables={"t0": Table(keys=strings(b"", b"a\x00"), values=np.array([2, 3], np.int64))},
)


def edit(folder: Path, change):
    file = folder / "program.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_a_program_comes_back_as_it_was(tmp_path):
    write_program(tmp_path, PROGRAM)
    back = read_program(tmp_path)
    assert [back.inputs, back.outputs, back.steps] == [PROGRAM.inputs, PROGRAM.outputs, PROGRAM.steps]
    assert back.constants["c0"] == -1
    assert back.constants["c0"].dtype == np.int64
    assert back.constants["c1"].tolist() == PROGRAM.constants["c1"].tolist()
    assert back.tables["t0"].keys.tolist() == [b"", b"a\x00"]  # NumPy's own strings would lose the zero


def test_equal_programs_have_equal_bytes(tmp_path):
    shuffled = replace(PROGRAM, constants=dict(reversed(PROGRAM.constants.items())))
    write_program(tmp_path / "one", PROGRAM)
    write_program(tmp_path / "two", shuffled)
    assert content_digest(tmp_path / "one") == content_digest(tmp_path / "two")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.update(format_version=2), "another format"),
        (lambda it: it["steps"][0].update(operation="RegexReplace"), "closed list"),
        (lambda it: it["steps"][1].update(attributes={}), "other attributes than `Cast`"),
        (lambda it: it["steps"].reverse(), "not defined"),
        (lambda it: it["steps"][1].update(outputs=["v0"]), "defined twice"),
        (lambda it: it["outputs"][0].update(value="v9"), "an answer that is not defined"),
        (lambda it: it["constants"].append("c7"), "c7"),
        (lambda it: it.pop("steps"), "malformed twin"),
        (lambda it: it["inputs"][0].pop("value"), "malformed twin"),
    ],
)
def test_a_malformed_program_is_named(tmp_path, change, message):
    write_program(tmp_path, PROGRAM)
    edit(tmp_path, change)
    with pytest.raises(BadInputError, match=message):
        read_program(tmp_path)


def test_pickles_are_never_read(tmp_path):
    write_program(tmp_path, PROGRAM)
    arrays = dict(np.load(tmp_path / "constants.npz"))
    np.savez(tmp_path / "constants.npz", **{**arrays, "c0": strings(b"x")})
    with pytest.raises(BadInputError, match="not readable as the constants"):
        read_program(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04cut"])
def test_broken_constants_are_named(tmp_path, content):
    write_program(tmp_path, PROGRAM)
    (tmp_path / "constants.npz").write_bytes(content)
    with pytest.raises(BadInputError, match="not readable as the constants"):
        read_program(tmp_path)


def test_a_string_never_ends_outside_its_text(tmp_path):
    write_program(tmp_path, PROGRAM)
    arrays = dict(np.load(tmp_path / "constants.npz"))
    arrays["c1.ends"] = arrays["c1.ends"] + 5
    np.savez(tmp_path / "constants.npz", **arrays)
    with pytest.raises(BadInputError, match="ends outside its text"):
        read_program(tmp_path)

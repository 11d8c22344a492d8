"""Which engine serves, that both answer equally, and that the twin needs no TensorFlow."""

import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.common.artifacts import MISSING_INTEGER, read_evaluation, write_evaluation
from components.common.errors import BadInputError, RefusedError
from components.common.seal import model_digest, seal_model
from components.common.twin.choose import Choice, choose_engine
from components.serving.check import encode_request
from components.serving.engine import load_engine
from components.serving.load import load_model
from tests.tiny_model import SIGNATURE, write_tiny_model

SERVES = """
import pathlib, sys
import components.serving.grpc_service, components.serving.run
from components.serving.load import load_model
model = load_model(pathlib.Path(sys.argv[1]), "tiny")
print(model.choice.engine, sorted({"tensorflow", "keras", "pandas", "pyarrow"} & sys.modules.keys()))
"""


def test_a_server_of_a_twin_imports_no_tensorflow(model_folder):
    ended = subprocess.run(
        [sys.executable, "-c", SERVES, str(model_folder)], capture_output=True, text=True, timeout=120
    )
    assert ended.stdout == "twin []\n", ended.stderr


@pytest.fixture(scope="module")
def unproven(tmp_path_factory):
    obstacle = "operation `RegexReplace` is not on the list"
    return write_tiny_model(tmp_path_factory.mktemp("unproven"), twin_obstacle=obstacle)


def test_model_without_a_proven_twin_is_served_by_tensorflow_which_says_why(unproven):
    choice = load_model(unproven, "tiny").choice
    assert choice == Choice(engine="tensorflow", reason="operation `RegexReplace` is not on the list")
    assert (choice.image, choose_engine(unproven, "tensorflow").image) == ("serving-tensorflow",) * 2
    with pytest.raises(BadInputError, match="RegexReplace"):
        choose_engine(unproven, "twin")


def test_twin_that_fails_as_nobody_foresaw_is_refused_by_name(model_folder, monkeypatch):
    def fail(folder):
        raise AssertionError("unforeseen")

    monkeypatch.setattr("components.serving.twin_engine.read_program", fail)
    with pytest.raises(BadInputError, match="the twin cannot be loaded: AssertionError: unforeseen"):
        load_model(model_folder, "tiny")


def test_engine_that_is_asked_for_is_taken(model_folder):
    assert choose_engine(model_folder, "auto") == choose_engine(model_folder, "twin")
    assert choose_engine(model_folder).image == "serving"
    assert choose_engine(model_folder, "tensorflow").engine == "tensorflow"
    with pytest.raises(BadInputError, match="auto, twin, tensorflow"):
        choose_engine(model_folder, "onnx")


def test_model_that_needs_tensorflow_is_refused_by_name_where_there_is_none(unproven, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInputError, match=r"RegexReplace.*serving-tensorflow"):
        load_engine(unproven, choose_engine(unproven))


def test_twin_that_answers_otherwise_is_refused_by_its_golden_requests(tmp_path):
    folder = write_tiny_model(tmp_path / "model", twin_weight=1.001)
    with pytest.raises(RefusedError, match="golden request 1"):
        load_model(folder, "tiny")


DAMAGES = {
    "version": (BadInputError, "a twin of another format"),
    "operation": (BadInputError, "closed list"),
    "no constants": (BadInputError, "constants of a twin"),
    "text as a number": (RefusedError, "warm-up failed: the engine `twin` fails with"),
    "more memory than there is": (RefusedError, "warm-up failed: the engine `twin` fails with MemoryError"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_malformed_twin_is_refused_before_the_port_opens(model_folder, tmp_path, damage):
    """Sealed with its damage, as by somebody who makes digests too."""
    folder = shutil.copytree(model_folder, tmp_path / "model")
    file = folder / "twin" / "program.json"
    program = json.loads(file.read_text())
    if damage == "version":
        program["format_version"] = 99
    elif damage == "operation":
        program["steps"][0]["operation"] = "ReadFile"
    elif damage == "text as a number":
        program["steps"][2]["inputs"] = ["carrier", "tenth"]
    elif damage == "more memory than there is":
        fill = {"operation": "Tile", "inputs": ["age", "repeats"], "outputs": ["wide"], "attributes": {}}
        program["steps"].append(fill)
        program["constants"].append("repeats")
        file.write_text(json.dumps(program))
        arrays = dict(np.load(folder / "twin" / "constants.npz"))
        np.savez(folder / "twin" / "constants.npz", **arrays, repeats=np.array([10**13]))
    else:
        (folder / "twin" / "constants.npz").write_bytes(b"PK")
    file.write_text(json.dumps(program))
    write_evaluation(folder, dataclasses.replace(read_evaluation(folder), model=model_digest(folder)))
    seal_model(folder)
    error, message = DAMAGES[damage]
    with pytest.raises(error, match=message):
        load_model(folder, "tiny")


def test_verdict_of_another_model_is_none_for_a_twin(model_folder, tmp_path):
    """The proof of one model beside the twin of another, sealed, as by somebody who makes digests too."""
    folder = shutil.copytree(model_folder, tmp_path / "model")
    other = write_tiny_model(tmp_path / "other", weight=2.0)
    shutil.copy(other / "evaluation.json", folder)
    seal_model(folder)
    for engine in ("twin", "tensorflow"):
        with pytest.raises(BadInputError, match="the evaluation in it is of another model"):
            load_model(folder, "tiny", engine)


def test_model_that_was_judged_before_there_were_twins_is_served_by_tensorflow(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    write_evaluation(folder, dataclasses.replace(read_evaluation(folder), twin={}))
    seal_model(folder)
    assert choose_engine(folder) == Choice(engine="tensorflow", reason="no twin was derived")


@pytest.fixture(scope="module")
def both(model_folder):
    return [load_engine(model_folder, choose_engine(model_folder, name)) for name in ("twin", "tensorflow")]


rows = st.fixed_dictionaries(
    {
        "age": st.none()
        | st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False),
        "seats": st.integers(MISSING_INTEGER + 1, 2**63 - 1),
        "carrier": st.none() | st.sampled_from(["AA", "UA", "", "ÄÖ", "aa"]) | st.text(max_size=5).filter(
            lambda text: text != "\0"
        ),
    }
)  # fmt: skip


@given(asked=st.lists(rows, min_size=1, max_size=20))
@settings(deadline=None, max_examples=50)
def test_both_engines_answer_every_row_equally(both, asked):
    columns = {name: [row[name] for row in asked] for name in ("age", "seats", "carrier")}
    encoded = encode_request(columns, SIGNATURE)
    twin, tensorflow = (engine.predict(encoded)["probability"] for engine in both)
    assert (twin.dtype, twin.shape) == (tensorflow.dtype, tensorflow.shape)
    np.testing.assert_allclose(twin, tensorflow, rtol=1e-5, atol=1e-7)

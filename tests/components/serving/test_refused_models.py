"""Models that no server loads: changed, harmful, or none at all."""

import json
import shutil
import subprocess
import sys

import pytest

from components.common.errors import BadInputError
from components.common.seal import seal_model
from components.common.twin.choose import Choice
from components.serving.engine import load_engine
from tests.tiny_model import write_tiny_model


def test_model_that_could_do_more_than_compute_is_never_loaded(tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    folder = write_tiny_model(tmp_path / "model")
    file = folder / "1" / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    model.meta_graphs[0].graph_def.library.function[0].node_def.add(name="x", op="ReadFile")
    file.write_bytes(model.SerializeToString())
    seal_model(folder)
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "components.serving.server",
        "--model",
        str(folder),
    ]
    ended = subprocess.run(
        [*command, "--name", "tiny", "--port", "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "operation `ReadFile` is not allowed" in ended.stderr.splitlines()[-1]
    assert "| tensorflow" not in ended.stderr  # it was not even imported


def test_changed_byte_is_refused_before_anything_is_loaded(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record))
    command = [sys.executable, "-m", "components.serving.server", "--model", str(folder), "--name", "tiny"]
    ended = subprocess.run(
        [*command, "--port", "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "model.json" in ended.stderr.splitlines()[-1]
    assert "tensorflow" not in ended.stderr


def test_folder_without_a_saved_model_is_refused_by_name(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(BadInputError, match="SavedModel"):
        load_engine(tmp_path, Choice(engine="tensorflow"))

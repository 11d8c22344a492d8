"""The real server on a real SavedModel; answers are held against the formula in Python floats."""

import json
import shutil
import subprocess
import sys

import pytest

from components.common.artifacts import read_golden_requests
from components.common.errors import BadInputError
from components.serving.config import ServingConfig
from components.serving.engine import load_engine
from tests.tiny_model import ROWS, expected_probability, v2_body


def test_one_row_is_answered_in_the_form_of_the_protocol(ask):
    status, answer = ask("/v2/models/tiny/infer", {"id": "mine", **v2_body(ROWS[:1])})
    assert status == 200
    assert list(answer) == ["model_name", "id", "outputs"]
    assert (answer["model_name"], answer["id"]) == ("tiny", "mine")
    (output,) = answer["outputs"]
    assert output == {
        "name": "probability", "datatype": "FP32", "shape": [1],
        "data": pytest.approx([expected_probability(ROWS[0])], rel=1e-6),
    }  # fmt: skip


def test_both_protocols_answer_equally_and_as_the_formula(ask):
    v2 = ask("/v2/models/tiny/infer", v2_body(ROWS))[1]["outputs"][0]["data"]
    v1 = ask("/v1/models/tiny:predict", {"instances": ROWS})[1]["predictions"]
    assert v1 == v2
    assert v2 == pytest.approx([expected_probability(row) for row in ROWS], rel=1e-6)


def test_content_type_of_curl_is_taken(ask):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask("/v2/models/tiny/infer", v2_body(ROWS), headers=headers)[0] == 200


def test_ten_thousand_rows_are_answered_and_one_more_is_refused(ask):
    assert ask("/v1/models/tiny:predict", {"instances": ROWS[:1] * 10_000})[0] == 200
    status, answer = ask("/v1/models/tiny:predict", {"instances": ROWS[:1] * 10_001})
    assert status == 400
    assert "10000 rows" in answer["error"]


V2, V1 = "/v2/models/tiny/infer", "/v1/models/tiny:predict"
WRONG = {
    "no JSON": (V2, b"{", 400, "line 1"),
    "NaN": (V1, b'{"instances": [{"seats": NaN}]}', 400, "null"),
    "bytes that are no UTF-8": (V1, b'{"instances": [{"carrier": "\xff"}]}', 400, "JSON"),
    "a number": (V2, b"1", 400, "request"),
    "empty body": (V1, b"", 400, "JSON"),
    "wrong type": (V1, {"instances": [{"seats": "two"}]}, 400, "`seats`"),
    "unknown field": (V1, {"instances": [{"seats": 2, "agee": 1}]}, 400, "`age`"),
    "missing field": (V1, {"instances": [{"age": 1}]}, 400, "`seats`"),
    "empty row": (V1, {"instances": [{}]}, 400, "instances[0]"),
    "unknown output": (V2, {**v2_body(ROWS), "outputs": [{"name": "x"}]}, 400, "`x`"),
    "outputs of another form": (V2, {**v2_body(ROWS), "outputs": 1}, 400, "`outputs`"),
    "unknown model": ("/v2/models/other/infer", v2_body(ROWS), 404, "other"),
    "unknown model in v1": ("/v1/models/other:predict", {"instances": ROWS}, 404, "other"),
    "unknown model's metadata": ("/v2/models/other", None, 404, "other"),
    "unknown address": ("/v3", None, 404, "not found"),
    "unload, which kserve offers": ("/v2/repository/models/tiny/unload", {}, 404, "not found"),
    "body over the limit": (V2, b" " * (ServingConfig().max_body_bytes + 1), 413, "larger"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_request_is_answered_with_a_short_error(ask, case):
    path, body, status, told = WRONG[case]
    got, answer = ask(path, body)
    assert got == status, answer
    assert list(answer) == ["error"]
    assert told in answer["error"]
    assert "Error" not in answer["error"]
    assert len(answer["error"]) < 300


def test_binary_tensors_are_refused(ask):
    status, answer = ask(V2, v2_body(ROWS), headers={"Inference-Header-Content-Length": "10"})
    assert (status, list(answer)) == (415, ["error"])


def test_metadata_names_inputs_and_outputs(ask):
    answer = ask("/v2/models/tiny")[1]
    assert [entry["name"] for entry in answer["inputs"]] == ["age", "seats", "carrier"]
    assert answer["outputs"] == [{"name": "probability", "datatype": "FP32", "shape": [-1]}]
    assert ask("/v2/health/ready") == (200, {"ready": True})


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
        load_engine(tmp_path)


def test_engine_answers_the_golden_requests(model_folder):
    from components.serving.load import load_model

    assert load_model(model_folder, "tiny").name == "tiny"
    assert len(read_golden_requests(model_folder)) == 4


@pytest.mark.parametrize(
    "wrong",
    [{"max_rows": 0}, {"max_body_bytes": 1}, {"body_timeout_seconds": 0.0}, {"drain_seconds": 0}],
)
def test_impossible_limits_are_refused_with_their_value(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}.*must hold, but got"):
        ServingConfig(**wrong)

"""The real server on a real SavedModel; answers are held against the formula in Python floats."""

import pytest

from components.common.golden import read_golden_requests
from components.serving.config import ServingConfig
from components.serving.load import load_model
from tests.tiny_model import ROWS, V1, V2, expected_probability, v2_body


def test_one_row_is_answered_in_the_form_of_the_protocol(ask):
    status, answer = ask(V2, {"id": "mine", **v2_body(ROWS[:1])})
    assert status == 200
    assert list(answer) == ["model_name", "id", "outputs"]
    assert (answer["model_name"], answer["id"]) == ("tiny", "mine")
    (output,) = answer["outputs"]
    assert output == {
        "name": "probability", "datatype": "FP32", "shape": [1],
        "data": pytest.approx([expected_probability(ROWS[0])], rel=1e-6),
    }  # fmt: skip


def test_both_protocols_answer_equally_and_as_the_formula(ask):
    v2 = ask(V2, v2_body(ROWS))[1]["outputs"][0]["data"]
    v1 = ask(V1, {"instances": ROWS})[1]["predictions"]
    assert v1 == v2
    assert v2 == pytest.approx([expected_probability(row) for row in ROWS], rel=1e-6)


def test_content_type_of_curl_is_taken(ask):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(V2, v2_body(ROWS), headers=headers)[0] == 200


def test_ten_thousand_rows_are_answered_and_one_more_is_refused(ask):
    assert ask(V1, {"instances": ROWS[:1] * 10_000})[0] == 200
    status, answer = ask(V1, {"instances": ROWS[:1] * 10_001})
    assert status == 400
    assert "10000 rows" in answer["error"]


WRONG = {
    "no JSON": (V2, b"{", 400, "line 1"),
    "NaN": (V1, b'{"instances": [{"seats": NaN}]}', 400, "null"),
    "bytes that are no UTF-8": (V1, b'{"instances": [{"carrier": "\xff"}]}', 400, "JSON"),
    "a number": (V2, b"1", 400, "request"),
    "empty body": (V1, b"", 400, "JSON"),
    "wrong type": (V1, {"instances": [{"seats": "two"}]}, 400, "`seats`"),
    "unknown field": (V1, {"instances": [{"seats": 2, "agee": 1}]}, 400, "`age`"),
    "missing field": (V1, {"instances": [{"age": 1}]}, 400, "`seats`"),
    "another method": ("/v2/models/tiny", {}, 405, "not allowed"),
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
    assert set(answer) <= {"error", "input", "row"}
    assert told in answer["error"]
    assert "Error" not in answer["error"]
    assert len(answer["error"]) < 300


def test_refused_value_is_told_by_input_and_row(ask):
    wrong = [*ROWS, {"seats": "two"}]
    answer = ask(V1, {"instances": wrong})[1]
    assert (answer["input"], answer["row"]) == ("seats", len(ROWS))


def test_numbers_at_the_edges_of_float32_are_refused_by_input_and_row(ask):
    """Denormals too: some engines take them for 0."""
    for number, told in (
        (1e39, "too large"),
        (-1e39, "too large"),
        (1e-39, "too small"),
        (-1e-45, "too small"),
    ):
        status, answer = ask(V1, {"instances": [{"seats": 1}, {"seats": 1, "age": number}]})
        assert (status, answer["input"], answer["row"]) == (400, "age", 1)
        assert told in answer["error"]
    assert ask(V1, {"instances": [{"seats": 1, "age": 1.2e-38}, {"seats": 1, "age": -0.0}]})[0] == 200


def test_engine_answers_the_golden_requests(model_folder):
    assert load_model(model_folder, "tiny").name == "tiny"
    assert len(read_golden_requests(model_folder)) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_rows": 0},
        {"max_body_bytes": 1},
        {"body_timeout_seconds": 0.0},
        {"max_concurrent": 0},
        {"drain_seconds": 0},
    ],
)
def test_impossible_limits_are_refused_with_their_value(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}.*must hold, but got"):
        ServingConfig(**wrong)

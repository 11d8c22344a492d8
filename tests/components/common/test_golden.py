"""Golden requests come back as they went, when answers count as equal, and what a model may be called."""

from pathlib import Path

import pytest

from components.common.errors import BadInputError
from components.common.golden import (
    find_difference,
    golden_columns,
    read_golden_requests,
    write_golden_requests,
)
from components.common.names import check_model_name

ROWS = [
    {"inputs": {"a": 1, "b": None}, "outputs": {"p": 0.5}},
    {"inputs": {"a": 2}, "outputs": {"p": 100.0}},
]


def test_inputs_by_column_hold_null_for_what_is_missing():
    assert golden_columns(ROWS, ["a", "b"]) == {"a": [1, 2], "b": [None, None]}


def test_answers_within_a_hundred_thousandth_are_equal():
    assert find_difference(ROWS, {"p": [0.500004, 100.0009]}) is None
    assert find_difference([{"outputs": {"p": [0.25, 0.75]}}], {"p": [[0.25, 0.75]]}) is None


def test_predictions_near_zero_are_held_against_their_usual_size():
    rows = [{"outputs": {"prediction": value}} for value in (200.0, -300.0, 0.001, 1e30)]
    near = {"prediction": [200.0, -300.0, 0.0012, 1e30]}  # 2e-4 apart, a millionth of 250
    assert find_difference(rows, near) is None
    assert "golden request 3" in find_difference(rows, {"prediction": [200.0, -300.0, 0.0014, 1e30]})
    shares = [{"outputs": {"probability": value}} for value in (0.9, 1e-5)]
    assert "golden request 2" in find_difference(shares, {"probability": [0.9, 1.02e-5]})


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"p": [0.5, 100.002]}, "golden request 2: `p` was 100.0, now 100.002"),
        ({"p": [0.50001, 100.0]}, "golden request 1"),
        ({"p": [float("nan"), 100.0]}, "golden request 1"),
        ({"p": [None, 100.0]}, "golden request 1"),
        ({"p": [0.5]}, "1 answers to 2 golden requests"),
        ({}, "0 answers to 2 golden requests"),
        ({"p": [[0.5], 100.0]}, "golden request 1"),
    ],
)
def test_any_other_answer_is_a_difference(answers, told):
    assert told in find_difference(ROWS, answers)


@pytest.mark.parametrize("name", ["a", "flights", "a-1", "0", "a" * 63])
def test_label_of_rfc_1123_is_a_model_name(name):
    assert check_model_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 64, "a/b", "a\n"])
def test_anything_else_is_refused(name):
    with pytest.raises(BadInputError, match="not a model name"):
        check_model_name(name)


def test_golden_requests_name_the_line_that_is_broken(tmp_path: Path):
    (tmp_path / "golden.jsonl").write_text('{"inputs": {}, "outputs": {}}\n{"inputs": 3}\n')
    with pytest.raises(BadInputError, match=r"golden\.jsonl:2"):
        read_golden_requests(tmp_path)


def test_golden_requests_of_any_text_come_back_as_they_were(tmp_path: Path):
    """Unicode's own line ends, which `str.splitlines` breaks at and JSON leaves as they are."""
    texts = ["A\u2028A", "\u2029", "\u0085", "\n", "\r\n", "\x0b\x0c\x1c\x1d\x1e", "", "日本"]
    rows = [{"inputs": {"x": text}, "outputs": {"probability": 0.5}} for text in texts]
    write_golden_requests(tmp_path, rows)
    assert read_golden_requests(tmp_path) == rows

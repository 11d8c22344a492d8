"""Requests that come together share a call; what one of them breaks touches no other."""

import asyncio

import numpy as np
import pytest

from components.serving.batch import MOST_ROWS, Batcher


class Doubling:
    """Doubles, and fails on negative numbers; it remembers how many rows came at once."""

    def __init__(self):
        self.calls = []

    def answer(self, columns):
        values = np.array(columns["x"], np.float32)
        self.calls.append(len(values))
        if (values < 0).any():
            raise ArithmeticError("negative")
        if None in columns.get("more", []):
            raise ValueError("missing")
        return {"y": values * 2, "z": np.stack([values] * 3, axis=1)}


def ask_columns(model, *requests):
    async def together():
        batcher = Batcher(model.answer)
        return await asyncio.gather(*map(batcher.answer, requests), return_exceptions=True)

    return asyncio.run(together())


def ask(model, *requests):
    return ask_columns(model, *({"x": values} for values in requests))


def test_requests_of_one_moment_share_one_call_and_get_their_own_rows():
    engine = Doubling()
    answers = ask(engine, [1], [2, 3], [4])
    assert engine.calls == [4]
    assert [answer["y"].tolist() for answer in answers] == [[2], [4, 6], [8]]
    assert [answer["z"].shape for answer in answers] == [(1, 3), (2, 3), (1, 3)]


def test_request_that_breaks_the_call_fails_alone():
    answers = ask(Doubling(), [1], [-1], [3])
    assert isinstance(answers[1], ArithmeticError)
    assert [answers[0]["y"].tolist(), answers[2]["y"].tolist()] == [[2], [6]]


def test_request_with_other_columns_is_told_of_its_own():
    answers = ask_columns(Doubling(), {"x": [1], "more": [1]}, {"x": [2]}, {"x": [3], "more": [None]})
    assert [answers[0]["y"].tolist(), answers[1]["y"].tolist()] == [[2], [4]]
    assert str(answers[2]) == "missing"


def test_calls_are_bounded_and_a_large_request_is_alone():
    engine = Doubling()
    half = [1.0] * (MOST_ROWS // 2)
    answers = ask(engine, half, half, half, [1.0] * (MOST_ROWS + 1))
    assert sorted(engine.calls) == [MOST_ROWS // 2, MOST_ROWS, MOST_ROWS + 1]
    assert [len(answer["y"]) for answer in answers] == [len(half)] * 3 + [MOST_ROWS + 1]


def test_client_that_leaves_does_not_harm_the_others():
    async def leave():
        batcher = Batcher(Doubling().answer)
        gone = asyncio.ensure_future(batcher.answer({"x": [1]}))
        stays = asyncio.ensure_future(batcher.answer({"x": [1]}))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert asyncio.run(leave())["y"].tolist() == [2]

"""Requests that come together share a call; what one of them breaks touches no other."""

import asyncio

import numpy as np
import pytest

from components.serving.batch import MOST_ROWS, Batcher


class Doubling:
    """An engine that doubles, and fails on negative numbers; it remembers how many rows came at once."""

    def __init__(self):
        self.calls = []

    def predict(self, columns):
        self.calls.append(len(columns["x"]))
        if (columns["x"] < 0).any():
            raise ArithmeticError("negative")
        return {"y": columns["x"] * 2, "z": np.stack([columns["x"]] * 3, axis=1)}


def ask(engine, *requests):
    async def together():
        batcher = Batcher(engine)
        answers = (batcher.predict({"x": np.array(values, np.float32)}) for values in requests)
        return await asyncio.gather(*answers, return_exceptions=True)

    return asyncio.run(together())


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


def test_calls_are_bounded_and_a_large_request_is_alone():
    engine = Doubling()
    half = [1.0] * (MOST_ROWS // 2)
    answers = ask(engine, half, half, half, [1.0] * (MOST_ROWS + 1))
    assert sorted(engine.calls) == [MOST_ROWS // 2, MOST_ROWS, MOST_ROWS + 1]
    assert [len(answer["y"]) for answer in answers] == [len(half)] * 3 + [MOST_ROWS + 1]


def test_client_that_leaves_does_not_harm_the_others():
    async def leave():
        batcher = Batcher(Doubling())
        gone = asyncio.ensure_future(batcher.predict({"x": np.ones(1, np.float32)}))
        stays = asyncio.ensure_future(batcher.predict({"x": np.ones(1, np.float32)}))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert asyncio.run(leave())["y"].tolist() == [2]

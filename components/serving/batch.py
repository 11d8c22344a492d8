"""Requests that wait together are answered together: checked, encoded and computed at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from components.common.encoding import Values
from components.serving.check import Columns

MOST_ROWS = 256  # in one call; a request with more is alone, in a thread, and others go on meanwhile

Answers = dict[str, Values]


@dataclass(kw_only=True)
class _Waiting:
    columns: Columns
    rows: int
    answer: asyncio.Future[Answers]


class Batcher:
    """Asks for all requests that arrived in one turn of the event loop at once.

    Nobody waits for company: a request alone is answered at once. While a call runs, requests gather; the
    next call takes them, at most `MOST_ROWS` rows.
    """

    def __init__(self, answer: Callable[[Columns], Answers]) -> None:
        """Ask `answer`, of columns of one length: rows are independent. It is called from two threads."""
        self._call = answer
        self._waiting: list[_Waiting] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-requests")

    async def answer(self, columns: Columns) -> Answers:
        """Return the outputs for a request's columns, of one length.

        Raises:
            Exception: Whatever the call raised for these rows; those of others are not touched by it.
        """
        rows = len(next(iter(columns.values())))
        loop = asyncio.get_running_loop()
        if rows > MOST_ROWS:
            return await loop.run_in_executor(self._thread, self._call, columns)
        waiting = _Waiting(columns=columns, rows=rows, answer=loop.create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            loop.call_soon(self._answer_waiting)
        return await waiting.answer

    def _answer_waiting(self) -> None:
        batch = self._take()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer_waiting)
        if len(batch) == 1:
            self._answer(batch[0])
            return
        try:
            outputs = self._call(_joined(batch))
        except Exception:  # of either engine's kinds: one request's rows broke it; alone, it alone fails
            for waiting in batch:
                self._answer(waiting)
            return
        start = 0
        for waiting in batch:
            part = slice(start, start := start + waiting.rows)
            _settle(waiting, {name: values[part] for name, values in outputs.items()})

    def _take(self) -> list[_Waiting]:
        rows = count = 0
        while count < len(self._waiting) and rows + self._waiting[count].rows <= MOST_ROWS:
            rows += self._waiting[count].rows
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _answer(self, waiting: _Waiting) -> None:
        try:
            _settle(waiting, self._call(waiting.columns))
        except Exception as error:  # it belongs to whoever waits for the answer
            if not waiting.answer.done():
                waiting.answer.set_exception(error)


def _joined(batch: list[_Waiting]) -> Columns:
    """Lay columns end to end; what a request lacks is missing in its rows."""
    joined: Columns = {name: [] for each in batch for name in each.columns}
    for each in batch:
        for name, values in joined.items():
            values += each.columns[name] if name in each.columns else [None] * each.rows
    return joined


def _settle(waiting: _Waiting, outputs: Answers) -> None:
    if not waiting.answer.done():  # its client may have gone meanwhile
        waiting.answer.set_result(outputs)

"""Requests at fixed moments, whether or not the ones before were answered, as users send them."""

import asyncio
import contextlib
import json
import math
import threading
import time
from collections import Counter

import aiohttp

from tests.tiny_model import ROWS, v2_body

PER_SECOND = 200


class OpenLoad:
    """What came of each request: `outcomes` by status or error, `revisions` by who answered, `failures`.

    `failed_by` counts statuses that are not 200 by who answered with them, and `seconds` has the times to
    answer, from the moment at which a request was sent.
    """

    def __init__(self, url, row=ROWS[0], rows=None):
        self.url, self.rows, self.ended = url, rows or [row], threading.Event()
        self.outcomes, self.revisions, self.sent = Counter(), Counter(), 0
        self.failed_by = Counter()
        self.failures, self.seconds = [], []
        self.thread = threading.Thread(target=lambda: asyncio.run(self.send()))

    async def send(self):
        body = json.dumps(v2_body(self.rows)).encode()
        kept, fresh = aiohttp.TCPConnector(limit=0), aiohttp.TCPConnector(limit=0, force_close=True)
        async with (
            aiohttp.ClientSession(connector=kept) as one,
            aiohttp.ClientSession(connector=fresh) as two,
        ):
            started, under_way = time.perf_counter(), set()
            while not self.ended.is_set():
                await asyncio.sleep(max(0, started + self.sent / PER_SECOND - time.perf_counter()))
                self.sent += 1
                task = asyncio.create_task(self.ask(one if self.sent % 2 else two, body))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.gather(*under_way)

    async def ask(self, session, body):
        moment = time.perf_counter()
        try:
            async with session.post(self.url, data=body) as response:
                answer = await response.read()
                self.seconds.append(time.perf_counter() - moment)
                self.outcomes[response.status] += 1
                self.revisions[response.headers.get("Millrace-Revision")] += 1
                if response.status != 200:
                    self.failures.append((moment, answer))
                    self.failed_by[response.headers.get("Millrace-Revision")] += 1
        except aiohttp.ClientError as error:
            self.outcomes[type(error).__name__] += 1
            self.failures.append((moment, repr(error)))

    def quantile(self, share):
        """The time in which that share of all answers came."""
        return sorted(self.seconds)[math.ceil(share * len(self.seconds)) - 1]

    def end(self):
        """Send nothing more, and wait for what is under way."""
        self.ended.set()
        self.thread.join()


@contextlib.contextmanager
def open_load(url, **options):
    load = OpenLoad(url, **options)
    load.thread.start()
    time.sleep(0.3)
    try:
        yield load
        time.sleep(0.3)
    finally:
        load.end()

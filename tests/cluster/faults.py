"""An API server that is met through faults: a proxy on loopback before the real one.

`409`, `429`, `500` and `503` are answered in the real one's place, `cut` breaks the connection off before
it was asked, and `lost` after it has done what it was asked: only its answer is gone.
"""

import copy
import json
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import urllib3

from components.deployment.kserve_api import Kubernetes
from tests.loopback import Answering, listening

WRITES = ("PATCH", "POST", "PUT")
REASONS = {
    409: "Conflict", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"
}  # fmt: skip
KEPT = ("Authorization", "Content-Type", "Accept")

Fault = str | int | None


class Faults:
    """What a proxy does, and what it has seen.

    Attributes:
        choose: Which fault a request meets, by its method, its path, and how many it has met since it
            succeeded last; None: none.
        met: How often each fault was met.
        done: The writes that the API server has answered well: method, path and answer.
    """

    def __init__(self) -> None:
        """Let all pass."""
        self.choose: Callable[[str, str, int], Fault] = lambda method, path, met: None
        self.met: Counter[Fault] = Counter()
        self.done: list[tuple[str, str, dict]] = []
        self._before: Counter[tuple[str, str]] = Counter()

    def each(self, *faults: Fault, of: tuple[str, ...] = ("GET", *WRITES)) -> None:
        """Have every request of these methods meet faults, one after the other, before it succeeds."""
        known = dict(enumerate(faults))
        self.choose = lambda method, path, met: known.get(met) if method in of else None

    def next(self, method: str, path: str) -> Fault:
        """Which fault a request meets now."""
        found = self.choose(method, path, self._before[method, path])
        if found is not None:
            self._before[method, path] += 1
            self.met[found] += 1
        return found

    def succeeded(self, method: str, path: str, answer: dict) -> None:
        """Write down what the API server has done."""
        self._before.pop((method, path), None)
        self.write_down(method, path, answer)

    def write_down(self, method: str, path: str, answer: dict) -> None:
        """Write down a write of the API server."""
        if method in WRITES and "dryRun" not in path:
            self.done.append((method, path, answer))


@contextmanager
def through(cluster: Kubernetes) -> Iterator[tuple[Kubernetes, Faults]]:
    """The same API server, in the same account's name, met through faults."""
    from kubernetes import client

    faults, pool = Faults(), urllib3.PoolManager(cert_reqs="CERT_NONE")

    class Handler(Answering):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self):
            body = self.read()
            fault = faults.next(self.command, self.path)
            if isinstance(fault, int):
                told = {"kind": "Status", "code": fault, "reason": REASONS[fault], "message": "a fault"}
                self.send(fault, json.dumps(told).encode(), {"Retry-After": "0"})
                return
            if fault == "cut":
                self._break_off()
                return
            kept = {name: self.headers[name] for name in KEPT if name in self.headers}
            found = pool.request(self.command, f"{cluster.host}{self.path}", body=body, headers=kept)
            if fault == "lost":
                if found.status < 300:
                    faults.write_down(self.command, self.path, json.loads(found.data))
                self._break_off()
                return
            if found.status < 300:
                faults.succeeded(self.command, self.path, json.loads(found.data))
            self.send(found.status, found.data)

        def _break_off(self):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    configuration = copy.deepcopy(cluster._client.configuration)
    with listening(Handler) as configuration.host:
        yield Kubernetes(client.ApiClient(configuration)), faults
    pool.clear()

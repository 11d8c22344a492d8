"""Prometheus, played: over its HTTP API it tells what servers of each revision have counted.

The counts are kept by the servers' own class, and read from its text, as Prometheus would scrape it, with
the labels that the PodMonitor of manifests/options/prometheus adds. Requests come by the shares of the
moment, so many each time that it is asked.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from components.serving.metrics import ServingMetrics
from tests.cluster.nodes import NAMESPACE
from tests.loopback import Answering, listening

OUTPUTS = [{"name": "probability", "shape": [-1, 2], "classes": ["no", "yes"]}]
QUERY = re.compile(r"sum by \((?P<by>[\w, ]+)\) \((?P<name>\w+)\{(?P<where>[^}]*)\}\)")


@dataclass(frozen=True)
class Answers:
    """How a revision answers.

    Attributes:
        errors: Share of requests that fail.
        seconds: How long a request takes.
        late: Parameters of the beta distribution of its predictions.
    """

    errors: float = 0.0
    seconds: float = 0.004
    late: tuple[float, float] = (2.0, 5.0)


class Prometheus:
    """What it has of each revision.

    Attributes:
        address: Where it answers.
        shares: Tells the shares of the moment.
        requests: How many come each time that it is asked for them.
        answers: How a revision answers, by its name.
    """

    def __init__(self, address: str, shares: Callable[[], Mapping[str, int]]) -> None:
        """Count what comes by shares."""
        self.address, self.shares = address, shares
        self.requests = 4000
        self.answers: dict[str, Answers] = defaultdict(Answers)
        self._servers: dict[str, ServingMetrics] = {}
        self._random = np.random.default_rng(1)

    def ask(self, query: str) -> dict:
        """Answer an instant query, of the one form that there is here."""
        asked = QUERY.fullmatch(query)
        assert asked, query
        if asked["name"] == "millrace_requests_total":
            self._come()
        where = dict(re.findall(r'(\w+)="([^"]*)"', asked["where"]))
        by, sums = asked["by"].split(", "), defaultdict(float)
        for labels, value in self._samples(asked["name"]):
            if labels.items() >= where.items():
                sums[tuple((each, labels[each]) for each in by if each in labels)] += value
        result = [{"metric": dict(labels), "value": [1.0, str(value)]} for labels, value in sums.items()]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    def _come(self) -> None:
        for revision, share in self.shares().items():
            new = ServingMetrics("flights", revision, "twin", OUTPUTS)
            server, how = self._servers.setdefault(revision, new), self.answers[revision]
            count = self.requests * share // 100
            failed = round(count * how.errors)
            for number in range(count):
                server.count_request("v2", "500" if number < failed else "200", how.seconds)
            late = self._random.beta(*how.late, count - failed)
            server.count_answer({}, {"probability": np.stack([1 - late, late], axis=1)})

    def _samples(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        for revision, server in self._servers.items():
            told = {"namespace": NAMESPACE, "serving_kserve_io_inferenceservice": "flights"}
            for family in text_string_to_metric_families(server.exposition().decode()):
                for sample in family.samples:
                    if sample.name == name:
                        of = {"pod": f"flights-predictor-{revision}", "millrace_revision": revision}
                        yield {**sample.labels, **told, **of}, sample.value


@contextmanager
def prometheus(shares: Callable[[], Mapping[str, int]]) -> Iterator[Prometheus]:
    """Have one answer on loopback."""
    problems: list[Exception] = []

    class Handler(Answering):
        def answer(self):
            parts = urlsplit(self.path)
            try:
                assert parts.path == "/api/v1/query"
                body = json.dumps(found.ask(parse_qs(parts.query)["query"][0])).encode()
            except Exception as problem:
                problems.append(problem)
                raise
            self.send(200, body)

    with listening(Handler) as address:
        found = Prometheus(address, shares)
        yield found
    assert not problems, problems[0]

"""What a server counts, in the form of Prometheus: one revision of one model per process."""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.utils import floatToGoString

from components.common.encoding import Values
from components.common.histograms import NUMBERS, SECONDS, SHARES

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class Histogram:
    """Counts of values up to each bound; made for arrays, which a loop over values would be slow for.

    It writes itself, with all that never changes written once: `prometheus_client` takes some ten
    microseconds a bound, and a server that is scraped answers nobody meanwhile.
    """

    def __init__(self, bounds: Sequence[float], name: str, labels: Mapping[str, str]) -> None:
        """Count nothing yet; `bounds` ascend."""
        told = ",".join(f'{key}="{value.translate(_ESCAPES)}"' for key, value in labels.items())
        shown = [*(f"{bound:g}" for bound in bounds), "+Inf"]
        self._heads = [f'{name}_bucket{{{told},le="{bound}"}} ' for bound in shown]
        self._ends = f"{name}_count{{{told}}} ", f"{name}_sum{{{told}}} "
        self._bounds, self._places = tuple(bounds), np.asarray(bounds, np.float64)
        self._counts = np.zeros(len(bounds) + 1, np.int64)
        self._sum = 0.0

    def observe(self, values: Values) -> None:
        """Count values `[n]`."""
        places = np.searchsorted(self._places, values)
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum += float(values.sum(dtype=np.float64))

    def observe_one(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self) -> Iterator[str]:
        """Yield the samples, with cumulative counts by upper bound, in the text format of Prometheus."""
        count = 0
        for head, count in zip(self._heads, itertools.accumulate(self._counts.tolist()), strict=True):
            yield f"{head}{count}\n"
        yield f"{self._ends[0]}{count}\n"
        yield f"{self._ends[1]}{floatToGoString(self._sum)}\n"


class ServingMetrics:
    """Counts of one server."""

    def __init__(self, model: str, revision: str, engine: str, outputs: Sequence[dict[str, Any]]) -> None:
        """Count nothing yet.

        Args:
            model: Its name.
            revision: Its revision.
            engine: What computes its answers.
            outputs: Of `signature.json`.
        """
        self._names, self._values = ["model", "revision"], [model, revision]
        self._engine = engine
        self._requests = Counter[tuple[str, str]]()
        self._anomalies = Counter[tuple[str, str]]()
        self._seconds: dict[str, Histogram] = {}
        self._counting = threading.Lock()  # large requests are answered in a thread
        self._predictions = {
            output["name"]: [
                self._histogram(
                    SHARES if "classes" in output else NUMBERS, "predictions", output=output["name"],
                    **{"class": str(each)},
                )
                for each in (output["classes"] if len(output["shape"]) > 1 else [""])
            ]
            for output in outputs
        }  # fmt: skip
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(self)

    def count_request(self, protocol: str, code: str, seconds: float) -> None:
        """Count an answered request."""
        self._requests[protocol, code] += 1
        if protocol not in self._seconds:
            self._seconds[protocol] = self._histogram(SECONDS, "request_seconds", protocol=protocol)
        self._seconds[protocol].observe_one(seconds)

    def count_anomaly(self, name: str, kind: str, count: int = 1) -> None:
        """Count values of an input that are refused, missing, out of range or unseen."""
        self._anomalies[name, kind] += count

    def count_answer(self, anomalies: Mapping[tuple[str, str], int], outputs: Mapping[str, Values]) -> None:
        """Count what one call was asked, by input and kind of anomaly, and what it answered."""
        with self._counting:
            for (name, kind), count in anomalies.items():
                self.count_anomaly(name, kind, count)
            for name, histograms in self._predictions.items():
                values = outputs[name].reshape(-1, len(histograms))
                for place, histogram in enumerate(histograms):
                    histogram.observe(values[:, place])

    def collect(self) -> Iterator[Metric]:
        """Yield all families but histograms, as `prometheus_client` asks for them."""
        requests = self._family(CounterMetricFamily, "requests", "Requests by answer.", "protocol", "code")
        for labels, count in sorted(self._requests.items()):
            requests.add_metric([*self._values, *labels], count)
        yield requests
        anomalies = self._family(
            CounterMetricFamily, "input_anomalies",
            "Values refused, missing, out of the range of training, or not seen in it.", "input", "kind",
        )  # fmt: skip
        for labels, count in sorted(self._anomalies.items()):
            anomalies.add_metric([*self._values, *labels], count)
        yield anomalies
        ready = self._family(GaugeMetricFamily, "ready", "1 when the model answers.")
        ready.add_metric(self._values, 1)
        yield ready
        engine = self._family(GaugeMetricFamily, "engine", "1 for what computes the answers.", "engine")
        engine.add_metric([*self._values, self._engine], 1)
        yield engine

    def exposition(self) -> bytes:
        """Return everything as text."""
        seconds = [histogram for _, histogram in sorted(self._seconds.items())]
        predictions = itertools.chain(*self._predictions.values())
        lines = itertools.chain(
            _head("request_seconds", "Time to answer."), *(each.lines() for each in seconds),
            _head("predictions", "What was answered."), *(each.lines() for each in predictions),
        )  # fmt: skip
        return generate_latest(self._registry) + "".join(lines).encode()

    def _histogram(self, bounds: Sequence[float], name: str, **labels: str) -> Histogram:
        return Histogram(
            bounds, f"millrace_{name}", dict(zip(self._names, self._values, strict=True)) | labels
        )

    def _family(self, kind: Any, name: str, told: str, *labels: str) -> Any:
        return kind(f"millrace_{name}", told, labels=[*self._names, *labels])


def _head(name: str, told: str) -> list[str]:
    return [f"# HELP millrace_{name} {told}\n", f"# TYPE millrace_{name} histogram\n"]

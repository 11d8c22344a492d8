"""What a server counts, in the form of Prometheus: one revision of one model per process."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from components.common.encoding import Values

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SHARES = tuple(round(step / 20, 2) for step in range(1, 21))
_SIZES = tuple(digit * 10.0**power for power in range(-2, 7) for digit in (1, 2, 5))
_NUMBERS = (*(-size for size in reversed(_SIZES)), 0.0, *_SIZES)


class Histogram:
    """Counts of values up to each bound; made for arrays, which a loop over values would be slow for."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Count nothing yet; `bounds` ascend."""
        self._bounds = np.asarray(bounds, np.float64)
        self._counts = np.zeros(len(bounds) + 1, np.int64)
        self._sum = 0.0

    def observe(self, values: Values) -> None:
        """Count values `[n]`."""
        places = np.searchsorted(self._bounds, values)
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum += float(values.sum(dtype=np.float64))

    def observe_one(self, value: float) -> None:
        """Count one value."""
        self._counts[self._bounds.searchsorted(value)] += 1
        self._sum += value

    def samples(self) -> tuple[list[tuple[str, float]], float]:
        """Return (cumulative counts by upper bound, the sum), as Prometheus has them."""
        names = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        counts = itertools.accumulate(self._counts.tolist())
        return list(zip(names, map(float, counts), strict=True)), self._sum


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
            (output["name"], str(each)): Histogram(_SHARES if "classes" in output else _NUMBERS)
            for output in outputs
            for each in (output["classes"] if len(output["shape"]) > 1 else [""])
        }
        self._by_output: dict[str, list[Histogram]] = {}
        for (name, _), histogram in self._predictions.items():
            self._by_output.setdefault(name, []).append(histogram)
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(self)

    def count_request(self, protocol: str, code: str, seconds: float) -> None:
        """Count an answered request."""
        self._requests[protocol, code] += 1
        if protocol not in self._seconds:
            self._seconds[protocol] = Histogram(_SECONDS)
        self._seconds[protocol].observe_one(seconds)

    def count_anomaly(self, name: str, kind: str, count: int = 1) -> None:
        """Count values of an input that are refused, missing, out of range or unseen."""
        self._anomalies[name, kind] += count

    def count_answer(self, anomalies: Mapping[tuple[str, str], int], outputs: Mapping[str, Values]) -> None:
        """Count what one call was asked, by input and kind of anomaly, and what it answered."""
        with self._counting:
            for (name, kind), count in anomalies.items():
                self.count_anomaly(name, kind, count)
            for name, histograms in self._by_output.items():
                values = outputs[name].reshape(-1, len(histograms))
                for place, histogram in enumerate(histograms):
                    histogram.observe(values[:, place])

    def collect(self) -> Iterator[Metric]:
        """Yield all families, as `prometheus_client` asks for them."""
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
        seconds = self._family(HistogramMetricFamily, "request_seconds", "Time to answer.", "protocol")
        for protocol, histogram in sorted(self._seconds.items()):
            seconds.add_metric([*self._values, protocol], *histogram.samples())
        yield seconds
        predictions = self._family(
            HistogramMetricFamily, "predictions", "What was answered.", "output", "class"
        )
        for labels, histogram in self._predictions.items():
            predictions.add_metric([*self._values, *labels], *histogram.samples())
        yield predictions
        ready = self._family(GaugeMetricFamily, "ready", "1 when the model answers.")
        ready.add_metric(self._values, 1)
        yield ready
        engine = self._family(GaugeMetricFamily, "engine", "1 for what computes the answers.", "engine")
        engine.add_metric([*self._values, self._engine], 1)
        yield engine

    def exposition(self) -> bytes:
        """Return everything as text."""
        return generate_latest(self._registry)

    def _family(self, kind: Any, name: str, told: str, *labels: str) -> Any:
        return kind(f"millrace_{name}", told, labels=[*self._names, *labels])

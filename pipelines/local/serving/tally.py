"""What was counted of each revision, for those who judge a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

BOUNDS = tuple(0.0005 * 1.25**step for step in range(54))  # to 68 s; each a quarter above the one before

_PREDICTIONS = "millrace_predictions"
Counted = dict[str, Any]  # a histogram: `bounds`, and `counts` between them


def read_predictions(exposition: str) -> dict[str, Counted]:
    """Return the histograms of a server's predictions, by output and class as in `probability/late`.

    Args:
        exposition: Metrics of one server, in the form of Prometheus.
    """
    below: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples if family.name == _PREDICTIONS else ():
            if sample.name.endswith("_bucket"):
                labels = sample.labels
                name = "/".join(filter(None, (labels["output"], labels["class"])))
                below.setdefault(name, {})[float(labels["le"])] = sample.value
    return {name: _histogram(counts) for name, counts in below.items()}


def histogram(counts: Sequence[int]) -> Counted:
    """Return counts between `BOUNDS`, the last one above all of them, as the control API shows them."""
    return {"bounds": list(BOUNDS), "counts": list(counts)}


def _histogram(below: Mapping[float, float]) -> Counted:
    """Turn Prometheus's cumulative counts by upper bound, the last one infinite, into counts between."""
    cumulative = [int(below[bound]) for bound in sorted(below)]
    counts = [count - before for before, count in zip([0, *cumulative], cumulative, strict=False)]
    return {"bounds": sorted(below)[:-1], "counts": counts}

"""What was counted of each revision, for those who judge a release."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from components.common.histograms import SECONDS, between, name_of

_BUCKET = "millrace_predictions_bucket{"
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
Counted = dict[str, Any]  # a histogram: `bounds`, and `counts` between them


def read_predictions(exposition: str) -> dict[str, Counted]:
    """Return the histograms of a server's predictions, by output and class as in `probability/late`.

    They may have thousands of lines, which `prometheus_client` would take long to parse, and who reads them
    twice a second passes requests on as well. So each line's labels are read once.

    Args:
        exposition: Metrics of one server, in the text format of Prometheus, without times.
    """
    below: dict[str, dict[float, float]] = {}
    for line in exposition.split("\n"):
        if line.startswith(_BUCKET):
            told, count = line.rsplit(" ", 1)
            name, bound = _name_and_bound(told)
            below.setdefault(name, {})[bound] = float(count)
    return {name: _histogram(*between(cumulative)) for name, cumulative in below.items()}


def histogram(counts: Sequence[int]) -> Counted:
    """Return counts between bounds of seconds, the last one above all, as the control API shows them."""
    return _histogram(SECONDS, counts)


def _histogram(bounds: Sequence[float], counts: Sequence[int]) -> Counted:
    return {"bounds": list(bounds), "counts": list(counts)}


@functools.lru_cache(1 << 14)
def _name_and_bound(told: str) -> tuple[str, float]:
    labels = {key: _unescaped(value) for key, value in _LABEL.findall(told)}
    return name_of(labels), float(labels["le"])


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], value)

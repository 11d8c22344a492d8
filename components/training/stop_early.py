"""When a trial is hopeless: the median rule (Golovin et al., Google Vizier, 2017)."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import accumulate

from components.training.records import TrialRecord

_FEWEST = 4  # complete trials; the median of fewer says little


def limits_of(records: Sequence[TrialRecord]) -> list[float]:
    """Return by epoch the median of the lowest eval loss so far, over complete trials.

    A trial that ended before an epoch counts with its last value. Empty with fewer than four trials.
    """
    curves = [
        list(accumulate((point["eval_loss"] for point in record.curve), min))
        for record in records
        if record.state == "complete" and record.curve
    ]
    if len(curves) < _FEWEST:
        return []
    longest = max(map(len, curves))
    return [
        statistics.median(curve[min(epoch, len(curve) - 1)] for curve in curves) for epoch in range(longest)
    ]

"""Histograms as Prometheus has them: by which bounds servers count, and what lies between two of them.

The bounds are preferred numbers of ISO 3 (Renard's), which are round and evenly apart by ratio: R5 has five
a decade, R10 ten, R20 twenty. What is counted by other bounds cannot be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_R5 = (1, 1.6, 2.5, 4, 6.3)
_R10 = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)
_R20 = (*(1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8), *(3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9))


def _decades(numbers: Sequence[float], powers: Iterable[int]) -> list[float]:
    return [float(f"{number}e{power}") for power in powers for number in numbers]


SECONDS = tuple(bound for bound in _decades(_R10, range(-4, 2)) if 0.0005 <= bound <= 63)
"""Times to answer: 0.5 ms to 63 s, each at most 1.28 times the one before."""

_RARE = [bound for bound in _decades(_R5, range(-5, -1)) if bound < 0.05]
SHARES = (
    *_RARE,
    *(step / 20 for step in range(1, 20)),
    *(round(1 - bound, 6) for bound in _RARE[::-1]),
    1.0,
)
"""Probabilities: twentieths, and finer below 0.05 and above 0.95."""

_SIZES = (
    *_decades((1, 2, 5), range(-5, -2)), *_decades(_R20, range(-2, 7)), *_decades((1, 2, 5), range(7, 9))
)  # fmt: skip
NUMBERS = (*(-size for size in reversed(_SIZES)), 0.0, *_SIZES)
"""Any numbers: twenty a decade from 0.01 to 10 million, three beside, of both signs."""


def between(below: Mapping[float, float]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Turn Prometheus's counts into counts between bounds.

    Args:
        below: Cumulative counts by upper bound, the last one infinite, in any order.

    Returns:
        The finite bounds, ascending, and one count more than bounds, the last one above all of them.
    """
    bounds = sorted(below)
    cumulative = [int(below[bound]) for bound in bounds]
    counts = (now - before for before, now in zip([0, *cumulative], cumulative, strict=False))
    return tuple(bounds[:-1]), tuple(counts)


def name_of(labels: Mapping[str, str]) -> str:
    """Return the name of a histogram of predictions, by output and class as in `probability/late`."""
    return "/".join(filter(None, (labels.get("output"), labels.get("class"))))

"""What a server counted of a revision: numbers that only grow, so that a step is the difference of two."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of values between bounds.

    Attributes:
        bounds: Upper bounds, ascending, each belonging to its own count.
        counts: One more than bounds; the last is of values above all of them. Not cumulative.
    """

    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        """Reject counts that do not belong to the bounds."""
        if len(self.counts) != len(self.bounds) + 1:
            raise ValueError(f"{len(self.bounds)} bounds have one count more, but got {len(self.counts)}.")

    @property
    def total(self) -> int:
        """Count of all values."""
        return sum(self.counts)

    def since(self, earlier: Histogram) -> Histogram:
        """Return what was added; all of it when the counts began anew, or the bounds are others."""
        if earlier.bounds != self.bounds:
            return self
        added = [now - then for now, then in zip(self.counts, earlier.counts, strict=True)]
        return self if min(added) < 0 else Histogram(bounds=self.bounds, counts=tuple(added))


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of what the shares sent to a server of a revision; without golden requests, where possible.

    Attributes:
        requests: Requests, failed ones included.
        errors: Those that failed by the server's fault: status 5xx, or no answer.
        seconds: Times to answer.
        predictions: What was answered, one value a row, by output and class as in `probability/late`.
    """

    requests: int = 0
    errors: int = 0
    seconds: Histogram = Histogram()
    predictions: Mapping[str, Histogram] = field(default_factory=dict[str, Histogram])

    def since(self, earlier: Tally) -> Tally:
        """Return what was added; counts that fell began anew, as of a server that was started again."""
        fell = self.requests < earlier.requests or self.errors < earlier.errors
        return Tally(
            requests=self.requests if fell else self.requests - earlier.requests,
            errors=self.errors if fell else self.errors - earlier.errors,
            seconds=self.seconds.since(earlier.seconds),
            predictions={
                name: histogram.since(earlier.predictions.get(name, Histogram()))
                for name, histogram in self.predictions.items()
            },
        )


def together(tallies: Collection[Tally]) -> Tally:
    """Return the sum of several servers' counts; none of those that are counted by different bounds."""
    names = {name for each in tallies for name in each.predictions}
    return Tally(
        requests=sum(each.requests for each in tallies),
        errors=sum(each.errors for each in tallies),
        seconds=_sum([each.seconds for each in tallies]),
        predictions={
            name: _sum([each.predictions.get(name, Histogram()) for each in tallies]) for name in names
        },
    )


def _sum(histograms: Collection[Histogram]) -> Histogram:
    counted = [each for each in histograms if each.total]
    if len({each.bounds for each in counted}) != 1:
        return Histogram()
    counts = zip(*(each.counts for each in counted), strict=True)
    return Histogram(bounds=counted[0].bounds, counts=tuple(map(sum, counts)))

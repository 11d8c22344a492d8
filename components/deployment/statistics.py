"""Tests of counts in pure Python: exact where that is possible, conservative where it is not."""

from __future__ import annotations

import itertools
import math

from components.deployment.tally import Histogram


def fisher_greater(hits: int, of: int, hits_before: int, of_before: int) -> float:
    """Return the chance of at least so many hits among the new ones, were old and new alike.

    Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution (Fisher, The design of
    experiments, 1935, §11).

    Args:
        hits: Hits among the new ones.
        of: How many new ones there are.
        hits_before: Hits among the old ones.
        of_before: How many old ones there are.
    """
    all_hits, everything = hits + hits_before, of + of_before
    whole = _log_choose(everything, of)
    chance = 0.0
    for count in range(hits, min(all_hits, of) + 1):
        term = math.exp(
            _log_choose(all_hits, count) + _log_choose(everything - all_hits, of - count) - whole
        )
        chance += term
        if count * everything > all_hits * of and term <= chance * 1e-16:  # past the mean they only fall
            break
    return min(chance, 1.0)


def distance(new: Histogram, old: Histogram) -> float:
    """Return the largest difference of cumulative shares at any bound: Kolmogorov and Smirnov's distance.

    Of values in bins it is at most that of the values. 0 when one is empty, or the bounds differ.
    """
    if not new.total or not old.total or new.bounds != old.bounds:
        return 0.0
    below = zip(itertools.accumulate(new.counts), itertools.accumulate(old.counts), strict=True)
    return max(abs(ours / new.total - theirs / old.total) for ours, theirs in below)


def fullest(histogram: Histogram) -> tuple[float, float, float]:
    """Return the share of the values in the fullest bin, and between which bounds it lies.

    Args:
        histogram: Not empty. Below a first bound above 0 its values are taken to be at least 0.
    """
    first = 0.0 if histogram.bounds and histogram.bounds[0] > 0 else -math.inf
    edges = (first, *histogram.bounds, math.inf)
    place = max(range(len(histogram.counts)), key=histogram.counts.__getitem__)
    return histogram.counts[place] / histogram.total, edges[place], edges[place + 1]


def smirnov(apart: float, of: int, of_before: int) -> float:
    """Return the chance of at least such a distance between two samples of one distribution.

    Smirnov's asymptotic distribution (Table for estimating the goodness of fit of empirical distributions,
    Annals of Mathematical Statistics 19, 1948). Values in bins make it conservative (Noether, 1963).

    Args:
        apart: The distance, 0 to 1.
        of: Size of one sample.
        of_before: Size of the other.
    """
    if not of or not of_before:
        return 1.0
    scaled = apart * math.sqrt(of * of_before / (of + of_before))
    if scaled < 0.3:  # the series converges slowly there, to 1 in five digits
        return 1.0
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return min(1.0, 2 * sum(terms))


def quantile(histogram: Histogram, share: float) -> float:
    """Return a quantile, taking values to lie evenly between two bounds.

    Those below the first bound are taken to be it, as are those above the last: how near to 0 they lie, by
    which a ratio would be judged, is not known.

    Args:
        histogram: Values of at least 0; not empty.
        share: 0 to 1.
    """
    wanted, below, lower = share * histogram.total, 0, histogram.bounds[0]
    for count, upper in zip(histogram.counts, histogram.bounds, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return lower


def above(histogram: Histogram, value: float) -> tuple[int, float]:
    """Return how many values are above the next bound from a value on, or the last; and that bound."""
    place = next(
        (i for i, bound in enumerate(histogram.bounds) if bound >= value), len(histogram.bounds) - 1
    )
    return sum(histogram.counts[place + 1 :]), histogram.bounds[place]


def _log_choose(of: int, count: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)

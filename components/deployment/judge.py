"""Whether a new revision is worse than the old one, by what both answered at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from components.deployment.config import DeployConfig
from components.deployment.statistics import above, distance, fisher_greater, fullest, quantile, smirnov
from components.deployment.tally import Histogram, Tally

_QUANTILES = (0.5, 0.95, 0.99)
_HIDING = 0.8  # of the old one's predictions in one bin: within it no shift is seen
_ALIKE = 1e-5  # predictions that lie no further apart are the same


def judge(new: Tally, old: Tally, limits: DeployConfig, *, level: float) -> list[str]:
    """Return what is worse, by more than its limit and by more than chance explains; empty when nothing is.

    Errors, and answers slower than `max_latency_ratio` times a quantile of the old one's, are compared by
    Fisher's exact test; predictions by Smirnov's, as if each request were one. The level is shared equally
    among the tests (Bonferroni), so that it holds for all of them together.

    Args:
        new: Counts of the new one at this step.
        old: Counts of the old one at this step.
        limits: How much worse is borne.
        level: Chance, at most, of naming anything though both are alike. Above 0.

    Returns:
        Reasons with both numbers, the limit and the chance.
    """
    shared = level / (1 + len(_QUANTILES) + len(new.predictions))
    found = [*_errors(new, old, limits), *_latency(new, old, limits), *_predictions(new, old, limits)]
    return [
        f"{reason} (chance {chance:.1g}, level {shared:.1g})" for reason, chance in found if chance < shared
    ]


def uncompared(new: Tally, old: Tally, limits: DeployConfig) -> list[str]:
    """Return what `judge` cannot compare, and why.

    It was not counted of both, by the same bounds; or one bin has so much of the old one's that a shift
    within it would not be seen. Predictions are left out where any shift of theirs is borne.
    """
    what = ", ".join(_uncounted(new, old, limits))
    counted = [f"{what}, which were not counted of both, by the same bounds"] if what else []
    return [*counted, *(_hidden(new, old) if limits.max_prediction_shift < 1 else ())]


def _uncounted(new: Tally, old: Tally, limits: DeployConfig) -> list[str]:
    found = [] if _is_comparable(new.seconds, old.seconds) else ["times to answer"]
    if limits.max_prediction_shift >= 1:
        return found
    none, names = Histogram(), sorted({*new.predictions, *old.predictions})
    apart = [
        f"predictions `{name}`"
        for name in names
        if not _is_comparable(new.predictions.get(name, none), old.predictions.get(name, none))
    ]
    return [*found, *(apart if names else ["predictions"])]


def _hidden(new: Tally, old: Tally) -> Iterator[str]:
    for name, theirs in sorted(old.predictions.items()):
        if _is_comparable(new.predictions.get(name, Histogram()), theirs):
            share, lower, upper = fullest(theirs)
            if share >= _HIDING and round(upper - lower, 9) > _ALIKE:
                within = f"{share:.0%} of the old one's lie between {lower:g} and {upper:g}"
                yield f"predictions `{name}`, of which {within}, where they are not told apart"


def _is_comparable(new: Histogram, old: Histogram) -> bool:
    return bool(new.total and old.total and new.bounds) and new.bounds == old.bounds


def _errors(new: Tally, old: Tally, limits: DeployConfig) -> Iterator[tuple[str, float]]:
    if not new.requests or not old.requests:
        return
    ours, theirs = new.errors / new.requests, old.errors / old.requests
    if ours - theirs > limits.max_error_rate_increase:
        chance = fisher_greater(new.errors, new.requests, old.errors, old.requests)
        limit = f"{limits.max_error_rate_increase:.2%} more may"
        yield f"{ours:.2%} of {new.requests} requests fail, {theirs:.2%} of the old one's; {limit}", chance


def _latency(new: Tally, old: Tally, limits: DeployConfig) -> Iterator[tuple[str, float]]:
    if not _is_comparable(new.seconds, old.seconds):
        return
    for share in _QUANTILES:
        usual = quantile(old.seconds, share)
        slow, bound = above(new.seconds, limits.max_latency_ratio * usual)
        slow_before, _ = above(old.seconds, limits.max_latency_ratio * usual)
        if slow > (1 - share) * new.seconds.total:
            chance = fisher_greater(slow, new.seconds.total, slow_before, old.seconds.total)
            told = f"{slow / new.seconds.total:.1%} of requests take more than {1000 * bound:.3g} ms, and"
            limit = f"{limits.max_latency_ratio:g} times it for {1 - share:.0%}"
            yield (
                f"{told} the old one's {share:.0%} quantile is {1000 * usual:.3g} ms; borne is {limit}",
                chance,
            )


def _predictions(new: Tally, old: Tally, limits: DeployConfig) -> Iterator[tuple[str, float]]:
    for name, ours in new.predictions.items():
        theirs = old.predictions.get(name)
        if theirs is None:
            continue
        apart = distance(ours, theirs)
        if apart > limits.max_prediction_shift:
            sizes = min(ours.total, new.requests), min(theirs.total, old.requests)
            told = f"predictions `{name}` are {apart:.2f} apart from the old one's"
            yield f"{told}; {limits.max_prediction_shift:.2f} may be", smirnov(apart, *sizes)

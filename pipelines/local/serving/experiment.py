"""What an A/B test showed: the difference of two groups of users, its interval, and a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from components.common.errors import BadInputError, RefusedError

Group = Mapping[str, Sequence[float]]  # outcomes by user
FEWEST = 30  # users of each revision
_FAIR = 0.001  # chance below which a split is not the one that was asked for


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The result of an A/B test.

    Attributes:
        users: How many users each revision answered: the new one, the old one.
        means: Their mean outcomes, likewise.
        difference: New minus old.
        interval: Where the true difference lies.
        level: With this probability. 0 to 1.
        verdict: `better`, `worse` or `no difference shown`.
    """

    users: tuple[int, int]
    means: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    level: float
    verdict: str


def judge_outcomes(
    new: Group, old: Group, *, share: int, level: float = 0.95, lower_is_better: bool = False
) -> Experiment:
    """Compare two groups by the mean of each user's outcomes, since users were assigned and not requests.

    Where each user has one outcome of 0 or 1, the interval is Newcombe's hybrid score interval
    (Statistics in Medicine 17, 1998, method 10); else Welch's, with Student's quantile by expansion
    (Abramowitz and Stegun, 26.7.5).

    Args:
        new: Outcomes by user, of those whom the new revision answered.
        old: The same of the old one.
        share: Percent of users that the new one was to have.
        level: Of the interval, above 0 and below 1.
        lower_is_better: A smaller outcome is the better one.

    Raises:
        BadInputError: A group has fewer than 30 users.
        RefusedError: The groups' sizes are not those of the split (chance below 0.001), so that something
            else than the split decided who was counted, and no difference means anything.
    """
    for group, told in ((new, "new"), (old, "old")):
        if len(group) < FEWEST:
            what = f"the {told} revision answered too few users"
            raise BadInputError(what, where="outcomes", value=len(group), fix=f"{FEWEST} are needed")
    _require_fair(len(new), len(old), share)
    ours, theirs = ([fmean(outcomes) for outcomes in group.values()] for group in (new, old))
    interval = (_newcombe if _is_binary(new) and _is_binary(old) else _welch)(ours, theirs, level)
    return Experiment(
        users=(len(ours), len(theirs)), means=(fmean(ours), fmean(theirs)),
        difference=fmean(ours) - fmean(theirs), interval=interval, level=level,
        verdict=_verdict(interval, lower_is_better),
    )  # fmt: skip


def _require_fair(new: int, old: int, share: int) -> None:
    """Refuse sizes that the split does not explain, by Pearson's chi-square test."""
    expected = (new + old) * share / 100
    statistic = (new - expected) ** 2 * (1 / expected + 1 / (new + old - expected))
    chance = math.erfc(math.sqrt(statistic / 2))
    if chance < _FAIR:
        told = f"{new} users of the new revision and {old} of the old one"
        what = f"{told} are no split of {share} to {100 - share}"
        fix = "look for users that were lost or counted twice, or a split that was changed meanwhile"
        raise RefusedError(f"{what} (chance {chance:.1g})", fix=fix)


def _is_binary(group: Group) -> bool:
    return all(len(outcomes) == 1 and outcomes[0] in (0.0, 1.0) for outcomes in group.values())


def _newcombe(new: Sequence[float], old: Sequence[float], level: float) -> tuple[float, float]:
    (ours, low, high), (theirs, low_old, high_old) = _wilson(new, level), _wilson(old, level)
    apart = ours - theirs
    return apart - math.hypot(ours - low, high_old - theirs), apart + math.hypot(
        high - ours, theirs - low_old
    )


def _wilson(outcomes: Sequence[float], level: float) -> tuple[float, float, float]:
    """Return a share and its score interval (Wilson, 1927)."""
    z, n, share = NormalDist().inv_cdf((1 + level) / 2), len(outcomes), fmean(outcomes)
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return share, (middle - half) / whole, (middle + half) / whole


def _welch(new: Sequence[float], old: Sequence[float], level: float) -> tuple[float, float]:
    ours, theirs = variance(new) / len(new), variance(old) / len(old)
    apart, both = fmean(new) - fmean(old), ours + theirs
    if both == 0:
        return apart, apart
    freedom = both**2 / (ours**2 / (len(new) - 1) + theirs**2 / (len(old) - 1))
    half = _student(NormalDist().inv_cdf((1 + level) / 2), freedom) * math.sqrt(both)
    return apart - half, apart + half


def _student(z: float, freedom: float) -> float:
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _verdict(interval: tuple[float, float], lower_is_better: bool) -> str:
    low, high = (-interval[1], -interval[0]) if lower_is_better else interval
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no difference shown"

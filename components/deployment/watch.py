"""One step of a release: both revisions answer, and the new one is watched until it can be judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from components.common.errors import BadInputError, ComponentError
from components.deployment.config import DeployConfig
from components.deployment.judge import judge, uncompared
from components.deployment.tally import Tally, together
from components.deployment.target import Target

_WATCH_SECONDS = 0.5
_FIRST_LOOK = 10  # requests of the new one


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What came of a step.

    Attributes:
        verdict: `pass`, `fail` or `inconclusive`.
        reasons: Why it failed, or is not conclusive; empty for `pass`.
        requests: How many the new revision and the old one had.
    """

    verdict: Literal["pass", "fail", "inconclusive"]
    reasons: tuple[str, ...] = ()
    requests: tuple[int, int]


class _Counted:
    """What servers counted since each was first seen; one that left counts as it was last seen."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], Tally] = {}
        self._last: dict[tuple[str, str], Tally] = {}

    def look(self, target: Target, name: str) -> ComponentError | None:
        """Take up what is counted now; returns why that is not known, or None."""
        try:
            found = target.tally(name)
        except ComponentError as error:
            return error
        self._last |= {(revision, key): each for revision, by in found.items() for key, each in by.items()}
        self._first = self._last | self._first
        return None

    def since(self, revision: str) -> Tally:
        """Return what a revision had since then."""
        return together(
            [last.since(self._first[key]) for key, last in self._last.items() if key[0] == revision]
        )


def watch_step(
    target: Target, name: str, new: str, old: str, *, config: DeployConfig, check: Callable[[], object]
) -> Judgement:
    """Judge a new revision by what it and the old one answer from now on.

    It is looked at whenever its requests have doubled, which may end the step at once as failed, and at the
    end of the interval, when both had the requests that are asked for, and all can be compared. The k-th
    look has the level `level / (k (k + 1))`, so that all of them together have `level`.

    Args:
        target: Where.
        name: Model name.
        new: The new revision.
        old: The old one.
        config: Interval, deadline, fewest requests, limits and level.
        check: Called before each look; raises when the release must end at once.

    Raises:
        ComponentError: `check` raised it. Counts that do not come are waited for, until the deadline;
            those that cannot come are not.
    """
    counted, began = _Counted(), time.monotonic()
    counted.look(target, name)
    looks, next_look = 0, _FIRST_LOOK
    while True:
        time.sleep(min(_WATCH_SECONDS, max(config.interval_seconds, 0.05)))
        check()
        missing, passed = counted.look(target, name), time.monotonic() - began
        ours, theirs = (counted.since(each) for each in (new, old))
        counts = ours.requests, theirs.requests
        lacking = f"there are no counts: {missing}" if missing else _lacking(ours, theirs, config, passed)
        is_over = not lacking and passed >= config.interval_seconds
        if is_over or ours.requests >= next_look:
            looks, next_look = looks + 1, 2 * ours.requests
            if reasons := judge(ours, theirs, config, level=config.level / (looks * (looks + 1))):
                return Judgement(verdict="fail", reasons=tuple(reasons), requests=counts)
            if is_over:
                return Judgement(verdict="pass", requests=counts)
        is_hopeless = isinstance(missing, BadInputError)
        if lacking and (is_hopeless or passed > config.interval_seconds + config.deadline_seconds):
            return Judgement(verdict="inconclusive", reasons=(lacking,), requests=counts)


def _lacking(new: Tally, old: Tally, config: DeployConfig, seconds: float) -> str:
    """Return what a step lacks to be judged by, or nothing."""
    if min(new.requests, old.requests) < config.min_requests:
        told = (
            f"{new.requests} requests of the new one and {old.requests} of the old one in {seconds:.0f} s"
        )
        return f"{told} are too few to judge by; {config.min_requests} of each are asked for"
    if what := "; ".join(uncompared(new, old, config)):
        return f"not compared: {what}; `deploy.max_prediction_shift: 1` judges without predictions"
    return ""

"""A release: start beside, prove, move all requests, drain the old; or restore what was and say why."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from components.common.artifacts import Row, Signature
from components.common.errors import ComponentError, RefusedError, UnavailableError
from components.deployment.ask import Asked
from components.deployment.prove import prove_answers
from components.deployment.target import Observation, ObservedRevision, Target, Wanted

_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The model to release.

    Attributes:
        wanted: Name, revision and model.
        signature: Its inputs and outputs.
        golden: Golden requests, at least one.
    """

    wanted: Wanted
    signature: Signature
    golden: Sequence[Row]

    @property
    def name(self) -> str:
        """Model name."""
        return self.wanted.name

    @property
    def revision(self) -> str:
        """Name of its revision."""
        return self.wanted.revision


def release_model(target: Target, candidate: Candidate, *, timeout_seconds: float) -> Observation:
    """Bring a model to all requests of its name, or leave the name as it was.

    A release that was killed midway is completed by running it again. A model that has all requests
    already and is alive is only proved again; a dead one is started anew.

    Args:
        target: Where to.
        candidate: What.
        timeout_seconds: Longest time it may take to become ready.

    Returns:
        What is deployed afterwards: the candidate alone.

    Raises:
        RefusedError: It does not start, or answers otherwise than recorded; what was is restored.
        UnavailableError: It is not ready in time, or something does not answer; likewise.
    """
    before = target.observe(candidate.name)
    try:
        after = _promote(target, candidate, before, timeout_seconds)
    except ComponentError as error:
        kept = _restore(target, candidate, before)
        raise type(error)(f"not released: {error}", fix=kept) from error
    for other in after.revisions:
        if other.revision != candidate.revision:
            target.remove(candidate.name, other.revision)
            _say(f"revision {other.revision} is drained and removed")
    return target.observe(candidate.name)


def _promote(
    target: Target, candidate: Candidate, before: Observation, timeout_seconds: float
) -> Observation:
    name, revision = candidate.name, candidate.revision
    target.apply(candidate.wanted)
    deadline = time.monotonic() + timeout_seconds
    is_new = before.find(revision) is None
    asked, spoken = _prove_when_ready(target, candidate, deadline, is_new=is_new)
    said = f"answers {len(candidate.golden)} golden requests by {', '.join(spoken)}"
    _say(f"revision {revision} of `{name}` is ready and {said}")
    if before.weights != {revision: 100}:
        target.weigh(name, {revision: 100})
        _say(f"revision {revision} has all requests")
    prove_answers(replace(asked, revision=None, grpc=None), candidate.golden)
    after = target.observe(name)
    _require_alive(after.find(revision), is_new=is_new)
    return after


def _prove_when_ready(
    target: Target, candidate: Candidate, deadline: float, *, is_new: bool
) -> tuple[Asked, list[str]]:
    """Wait for the revision and prove it; an old one found dead is being started anew, so wait again."""
    while True:
        asked = _await_ready(target, candidate, deadline, is_new=is_new)
        try:
            return asked, prove_answers(asked, candidate.golden)
        except UnavailableError:
            _require_alive(target.observe(candidate.name).find(candidate.revision), is_new=is_new)
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _require_alive(found: ObservedRevision | None, *, is_new: bool) -> None:
    """Refuse a new revision that has died once: it would again, under load."""
    if is_new and found is not None and found.restarts:
        raise RefusedError(f"revision {found.revision} died after it was started: {found.last_end}")


def _await_ready(target: Target, candidate: Candidate, deadline: float, *, is_new: bool) -> Asked:
    while True:
        observed = target.observe(candidate.name)
        found = observed.find(candidate.revision)
        _require_alive(found, is_new=is_new)
        if found is not None and observed.url is not None and found.state == "ready":
            return Asked(
                url=observed.url, name=candidate.name, signature=candidate.signature,
                revision=found.revision, grpc=found.grpc,
            )  # fmt: skip
        if found is not None and found.state == "failed":
            raise RefusedError(f"revision {candidate.revision} does not start: {found.reason}")
        if time.monotonic() > deadline:
            told = f": {found.reason}" if found is not None and found.reason else ""
            what = f"revision {candidate.revision} was not ready in time{told}"
            raise UnavailableError(what, fix="raise deploy.timeout_seconds, or look into its log")
        time.sleep(_POLL_SECONDS)


def _restore(target: Target, candidate: Candidate, before: Observation) -> str:
    """Undo what a failed release did, and say what is served now."""
    try:
        if before.weights and target.observe(candidate.name).weights != before.weights:
            target.weigh(candidate.name, before.weights)
        added = before.find(candidate.revision) is None
        if added and target.observe(candidate.name).find(candidate.revision) is not None:
            target.remove(candidate.name, candidate.revision)
        serving = target.observe(candidate.name).stable
    except ComponentError as error:
        return f"what was before could not be restored: {error}"
    if serving is None:
        return "nothing was served before, and nothing is now"
    return f"revision {serving.revision} serves as before ({serving.state})"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a task's log is its standard output

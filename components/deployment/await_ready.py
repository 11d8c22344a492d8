"""Waiting for a revision until it answers its golden requests."""

from __future__ import annotations

import time

from components.common.errors import RefusedError, UnavailableError
from components.deployment.ask import Asked
from components.deployment.candidate import Candidate
from components.deployment.prove import prove_answers
from components.deployment.target import Observation, ObservedRevision, Target

STEADY_LOOKS = 3  # in a row: a single one may meet a moment of a revision that comes and goes
_POLL_SECONDS = 0.1


def await_proved(
    target: Target, candidate: Candidate, *, timeout_seconds: float, is_new: bool
) -> list[str]:
    """Wait for a revision and prove it; an old one that is found dead is being started anew, so wait again.

    Args:
        target: Where.
        candidate: What; without golden requests it is waited for, and not asked.
        timeout_seconds: Longest time it may take to become ready.
        is_new: It must not have died even once.

    Returns:
        The protocols that it was asked by; none when it has no address of its own yet.

    Raises:
        RefusedError: It does not start, died, or answers otherwise than recorded.
        UnavailableError: It is not ready in time, or does not answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = await_ready(target, candidate, deadline, is_new=is_new, looks=STEADY_LOOKS)
        try:
            return prove_revision(candidate, found.url, revision=found.revision, grpc=found.grpc)
        except UnavailableError:
            require_alive(target.observe(candidate.name), candidate.revision, is_new=is_new)
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def prove_revision(
    candidate: Candidate, url: str | None, *, revision: str | None = None, grpc: str | None = None
) -> list[str]:
    """Ask the golden requests, if there are any and somewhere to ask; returns the protocols asked by."""
    if candidate.signature is None or url is None:
        return []
    asked = Asked(url=url, name=candidate.name, signature=candidate.signature, revision=revision, grpc=grpc)
    return prove_answers(asked, candidate.golden)


def require_alive(observed: Observation, revision: str, *, is_new: bool) -> None:
    """Refuse a new revision that failed or has died once: it would again, under load.

    Raises:
        RefusedError: It is so.
    """
    found = observed.find(revision)
    if found is None or not is_new:
        return
    if found.restarts:
        raise RefusedError(f"revision {revision} died after it was started: {found.last_end}")
    _require_not_failed(found)


def await_ready(
    target: Target, candidate: Candidate, deadline: float, *, is_new: bool, looks: int = 1
) -> ObservedRevision:
    """Return a revision that is ready, at so many looks in a row, by `deadline` of the monotonic clock.

    Raises as `await_proved`.
    """
    seen, lapses, reason = 0, 0, None
    while True:
        observed = target.observe(candidate.name)
        require_alive(observed, candidate.revision, is_new=is_new)
        found = observed.find(candidate.revision)
        is_ready = found is not None and found.state == "ready"
        lapses += bool(seen and not is_ready)
        seen = seen + 1 if is_ready else 0
        if found is not None and seen == looks:
            return found
        if found is not None and not is_ready:
            _require_not_failed(found)
            reason = found.reason
        if not is_ready and time.monotonic() > deadline:
            how = f"came and went {lapses} times" if lapses else "was not ready in time"
            what = f"revision {candidate.revision} {how}{f': {reason}' if reason else ''}"
            raise UnavailableError(what, fix="raise deploy.timeout_seconds, or look into its log")
        time.sleep(_POLL_SECONDS)


def _require_not_failed(found: ObservedRevision) -> None:
    if found.state == "failed":
        raise RefusedError(f"revision {found.revision} does not start: {found.reason}")

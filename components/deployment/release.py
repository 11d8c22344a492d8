"""A release: start beside, prove, shift the requests step by step, drain the old; or restore what was."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from components.common.errors import BadInputError, ComponentError, RefusedError, UnavailableError
from components.common.task_log import log_line
from components.deployment.again import release_again
from components.deployment.await_ready import (
    STEADY_LOOKS,
    await_proved,
    await_ready,
    prove_revision,
    require_alive,
)
from components.deployment.candidate import Candidate
from components.deployment.config import DeployConfig
from components.deployment.target import (
    ClaimedError,
    Observation,
    ObservedRevision,
    Shares,
    Target,
)
from components.deployment.watch import watch_step

_ALL_SECONDS = 10.0  # in which a revision with all requests must answer and be seen to be ready
_MOMENT_SECONDS = 5.0  # in which what was restored is seen to be ready
_SECONDS_BETWEEN = 0.2
_LAPSES = 1  # at a step: a server that is moved to another machine is not ready for a while


class HeldError(RefusedError):
    """There were too few requests to judge by: the shares stay as they are until somebody decides."""


def release_model(
    target: Target, candidate: Candidate, *, config: DeployConfig, holder: str, is_decided: bool = False
) -> Observation:
    """Bring a model to the share that was asked for, or leave the name as it was.

    A release that was killed midway is completed by running it again, from the share that it had, even from
    all requests: what was before stands until then. A model that has been released already and is alive is
    only proved again; a dead one is started anew.

    Args:
        target: Where to.
        candidate: What.
        config: Strategy, steps, limits and times.
        holder: Who releases, as others are told.
        is_decided: Somebody decided for the model: what share it has may become all without being judged.

    Returns:
        What is deployed afterwards: the candidate alone, or for `ab` beside the old one.

    Raises:
        BadInputError: The target cannot honour the release, or the model has a share beside the old one
            and would get all requests unjudged; nothing was done.
        RefusedError: Another releases under the name (nothing was done); the model does not start, dies,
            answers otherwise than recorded, or worse than the old one (what was is restored); or there were
            too few requests to judge by (`HeldError`: the shares stay), or another took the name over
            (`ClaimedError`: all stays as he has it).
        UnavailableError: It is not ready in time, or something does not answer; what was is restored.
    """
    target.plan(candidate.wanted)
    with claimed(target, candidate.name, holder):
        before = target.observe(candidate.name)
        if not is_decided:
            _require_judged(target, candidate, before, config)
        try:
            _bring(target, candidate, before, config, holder)
        except (HeldError, ClaimedError):
            raise
        except ComponentError as error:
            kept = _restore(target, candidate, before, config)
            raise type(error)(f"not released: {error}", fix=kept) from error
        except Exception:  # a fault of ours, of any kind: no half release may stay; raised again
            log_line(f"not released: {_restore(target, candidate, before, config)}")
            raise
        remove_idle(target, candidate.name)
        return target.observe(candidate.name)


@contextmanager
def claimed(target: Target, name: str, holder: str) -> Generator[None]:
    """Keep others from releasing under a name.

    Raises:
        ClaimedError: Another is releasing, who is named.
    """
    target.claim(name, holder)
    try:
        yield
    finally:
        with suppress(ComponentError):  # how the release ended matters more
            target.unclaim(name, holder)


def remove_idle(target: Target, name: str) -> None:
    """Drain and end the revisions that have no share."""
    for other in target.observe(name).revisions:
        if not other.weight:
            target.remove(name, other.revision)
            log_line(f"revision {other.revision} is drained and removed")


def _bring(
    target: Target, candidate: Candidate, before: Observation, config: DeployConfig, holder: str
) -> None:
    name, revision = candidate.name, candidate.revision
    old = _old(before, revision)
    is_new = old is None or old.revision != revision
    target.apply(candidate.wanted)
    spoken = await_proved(target, candidate, timeout_seconds=config.timeout_seconds, is_new=is_new)
    said = f" and answers {len(candidate.golden)} golden requests by {', '.join(spoken)}" if spoken else ""
    log_line(f"revision {revision} of `{name}` is ready{said}")
    for share in _shares(target, candidate, before, config):
        _shift(target, candidate, old, share, config)
        if share == 100:
            soon = time.monotonic() + _ALL_SECONDS
            _prove_endpoint(target, candidate, soon, is_new=is_new)
            await_ready(target, candidate, soon, is_new=is_new, looks=STEADY_LOOKS)
        elif config.strategy != "ab" and old is not None:
            _judge(target, candidate, old.revision, share, config, holder)


def _old(before: Observation, revision: str) -> ObservedRevision | None:
    """Return what serves, or what was before when a killed release had given its model all requests."""
    stable = before.stable
    has_all = stable is not None and stable.revision == revision
    return (before.begun_from if has_all else None) or stable


def _require_judged(
    target: Target, candidate: Candidate, before: Observation, config: DeployConfig
) -> None:
    """Refuse to give all requests to a model that was left at a share, where no step would judge it."""
    name, reached = candidate.name, before.weights.get(candidate.revision, 0)
    if not 0 < reached < 100 or config.shares != (100,) or _is_alone(target, candidate, before):
        return
    what = f"revision {candidate.revision} has {reached} % of the requests, and would get all unjudged"
    promote, roll_back = (config.by_hand(f"{each} {name}") for each in ("promote", "rollback"))
    fix = f"repeat its steps, as [{reached}, 100]; {promote} does not judge, and {roll_back} ends it"
    raise BadInputError(what, where="parameter `deploy.steps`", value=list(config.shares), fix=fix)


def _is_alone(target: Target, candidate: Candidate, before: Observation) -> bool:
    """Return whether there is no other revision that could have a share; one moment's failure is none."""
    old = _old(before, candidate.revision)
    if old is None or old.revision == candidate.revision:
        return True
    seen, looks = old.state, 1
    while seen == "failed" and looks < STEADY_LOOKS:
        time.sleep(_SECONDS_BETWEEN)
        found = target.observe(candidate.name).find(old.revision)
        seen, looks = "failed" if found is None else found.state, looks + 1
    return seen == "failed"


def _shares(
    target: Target, candidate: Candidate, before: Observation, config: DeployConfig
) -> Sequence[int]:
    """Return the steps that are left; none but all when there is no other that could have a share."""
    if _is_alone(target, candidate, before):
        return (100,)
    reached = before.weights.get(candidate.revision, 0)
    left = [share for share in config.shares if share > reached]
    is_judged = bool(reached) and config.strategy == "canary" and len(config.shares) > 1
    return [reached, *left] if is_judged else left or config.shares


def _shift(
    target: Target, candidate: Candidate, old: ObservedRevision | None, share: int, config: DeployConfig
) -> None:
    weights = {candidate.revision: share}
    if share < 100 and old is not None:
        weights[old.revision] = 100 - share
    shares = Shares(weights, sticky=config.sticky)
    if not shares.is_kept_by(target.observe(candidate.name).shares):
        target.weigh(candidate.name, shares)
        log_line(
            f"revision {candidate.revision} has {'all' if share == 100 else f'{share} % of the'} requests"
        )


def _prove_endpoint(target: Target, candidate: Candidate, deadline: float, *, is_new: bool) -> None:
    """Prove a revision with all requests where users ask it; who does not answer is asked again in time."""
    while True:
        observed = target.observe(candidate.name)
        require_alive(observed, candidate.revision, is_new=is_new)
        try:
            prove_revision(candidate, observed.url)
            return
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_SECONDS_BETWEEN)


def _judge(
    target: Target, candidate: Candidate, old: str, share: int, config: DeployConfig, holder: str
) -> None:
    """Watch a step to its end; raises when the new one is worse, comes and goes, or cannot be judged."""
    name, new, lapses = candidate.name, candidate.revision, 0

    def check() -> None:
        nonlocal lapses
        target.claim(name, holder)
        observed = target.observe(name)
        require_alive(observed, new, is_new=True)
        found = observed.find(new)
        if found is not None and found.state == "ready":
            return
        lapses += 1
        if lapses > _LAPSES:
            raise RefusedError(f"revision {new} comes and goes: not ready {lapses} times at {share} %")
        await_ready(target, candidate, time.monotonic() + config.timeout_seconds, is_new=True)

    found = watch_step(target, name, new, old, config=config, check=check)
    ours, theirs = found.requests
    if found.verdict == "fail":
        raise RefusedError(f"revision {new} is worse than {old} at {share} %: {'; '.join(found.reasons)}")
    if found.verdict == "inconclusive":
        what = f"revision {new} cannot be judged at {share} %: {'; '.join(found.reasons)}"
        if config.on_inconclusive == "restore":
            raise RefusedError(what)
        again = release_again(candidate.wanted, config)
        promote, roll_back = (config.by_hand(f"{each} {name}") for each in ("promote", "rollback"))
        fix = f"{again} goes on, or {promote}, or {roll_back}"
        raise HeldError(f"{what}; it keeps that share", fix=fix)
    log_line(f"revision {new} is no worse than {old} at {share} %, by {ours} and {theirs} requests")


def _restore(target: Target, candidate: Candidate, before: Observation, config: DeployConfig) -> str:
    """Undo what a failed release did, and say what is served now."""
    name, revision = candidate.name, candidate.revision
    shares, old = before.shares, _old(before, revision)
    is_new = old is None or old.revision != revision
    if old is not None and is_new and revision in shares:  # it went on with a release that had begun
        shares = Shares({old.revision: 100})
    try:
        if shares and not shares.is_kept_by(target.observe(name).shares):
            target.weigh(name, shares)
        if is_new and target.observe(name).find(revision) is not None:
            target.remove(name, revision)
        serving = _await_stable(target, name)
    except ComponentError as error:
        return f"what was before could not be restored: {error}"
    if serving is None:
        return "nothing was served before, and nothing is now"
    kept = f"revision {serving.revision} serves as before ({serving.state})"
    if serving.revision != revision:
        return kept
    kept = f"{kept}, and nothing stands beside it"
    if all(each.revision == revision for each in before.released):
        return f"{kept}, nor was another released before: release one"
    return f"{kept}: {config.by_hand(f'rollback {name}')} releases the one before"


def _await_stable(target: Target, name: str) -> ObservedRevision | None:
    """Return what serves; what was put back is given a moment to be told of as ready."""
    deadline = time.monotonic() + _MOMENT_SECONDS
    while True:
        found = target.observe(name).stable
        if found is None or found.state == "ready" or time.monotonic() > deadline:
            return found
        time.sleep(_SECONDS_BETWEEN)

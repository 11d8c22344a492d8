"""The work of the doors `roll_back` and `promote`: decisions about what is deployed under a name."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from components.common.artifacts import Endpoint, write_endpoint
from components.common.errors import BadInputError
from components.common.names import check_model_name
from components.common.task_log import log_line
from components.deployment.candidate import Candidate, read_candidate
from components.deployment.config import DeployConfig
from components.deployment.deploy import describe, name_holder, release_to
from components.deployment.open_target import open_target
from components.deployment.release import claimed, remove_idle
from components.deployment.target import Observation, ObservedRevision, Release, Target, Wanted


def promote_model(
    endpoint: Path, *, model_name: str, config: DeployConfig, run_id: str | None = None
) -> Endpoint:
    """Give all requests to the revision that has a share beside the old one, without judging it.

    It is proved before and afterwards, as in every release, by golden requests where its folder is here.

    Args:
        endpoint: Folder to write: `endpoint.json`.
        model_name: A label of RFC 1123.
        config: Where.
        run_id: The run that promotes, or None.

    Returns:
        What was written.

    Raises:
        BadInputError: The target serves nothing under this name, or no revision has a share beside another.
        RefusedError: As `release_model`; what fails loses its share, and the old one has all requests.
        UnavailableError: Likewise.
    """
    with _claimed(model_name, config, run_id) as (_, observed):
        if (canary := observed.canary) is None:
            stable = observed.stable
            told = "no revision has a share" if stable is None else f"{stable.revision} has all requests"
            raise BadInputError("there is nothing to promote", where=model_name, fix=told)
        deployed = release_to(_candidate(model_name, canary, run_id), _at_once(config), is_decided=True)
    write_endpoint(endpoint, deployed)
    return deployed


def roll_back_model(
    endpoint: Path,
    *,
    model_name: str,
    revision: str | None,
    config: DeployConfig,
    run_id: str | None = None,
) -> Endpoint:
    """Bring the old model back to all requests.

    While a new revision is beside the old one, whatever its share, it is ended at once. Otherwise the
    model that was released before the present one, or a named one, is released like any other: verified,
    proved by the golden requests beside it, and undone when it fails.

    Args:
        endpoint: Folder to write: `endpoint.json`.
        model_name: A label of RFC 1123.
        revision: Which of those that were released, or None for the one before.
        config: Where.
        run_id: The run that rolls back, or None.

    Returns:
        What was written.

    Raises:
        BadInputError: The target serves nothing or nothing under this name, there is nothing to go back to,
            or the former model's folder was changed or removed.
        RefusedError: The former model no longer starts, or answers otherwise; the present one serves on. Or
            another releases under the name.
        UnavailableError: The target does not answer, or the model is not ready in time; likewise.
    """
    with _claimed(model_name, config, run_id) as (target, observed):
        kept = observed.begun_from
        if kept is not None and revision in (None, kept.revision):
            deployed = _abandon(target, model_name, kept, config, run_id)
        else:
            former = _former(observed, revision)
            candidate = _candidate(model_name, former, run_id)
            deployed = release_to(candidate, _at_once(config), is_decided=True)
    write_endpoint(endpoint, deployed)
    return deployed


@contextmanager
def _claimed(
    model_name: str, config: DeployConfig, run_id: str | None
) -> Generator[tuple[Target, Observation]]:
    """Yield what is deployed under a name that nobody else changes meanwhile."""
    target = open_target(config)
    if target.observe(check_model_name(model_name)).url is None:
        fix = f"{config.by_hand('endpoints')} lists them"
        raise BadInputError("no such endpoint", value=model_name, fix=fix)
    with claimed(target, model_name, name_holder(run_id)):
        yield target, target.observe(model_name)


def _at_once(config: DeployConfig) -> DeployConfig:
    strategy = "replace" if config.strategy == "replace" else "canary"
    return replace(config, strategy=strategy, steps=(100,))


def _abandon(
    target: Target, name: str, stable: ObservedRevision, config: DeployConfig, run_id: str | None
) -> Endpoint:
    """End a new revision beside the old one; nothing of the old model's folder is needed for that."""
    target.weigh(name, {stable.revision: 100})
    log_line(f"revision {stable.revision} has all requests")
    remove_idle(target, name)
    return describe(_wanted(name, stable, run_id), config.chosen_target(), target.observe(name))


def _candidate(name: str, found: ObservedRevision | Release, run_id: str | None) -> Candidate:
    """Read a model where it lies; one in a store is left to its server to verify, and is not asked here."""
    if "://" in found.model_uri:
        return Candidate(wanted=_wanted(name, found, run_id))
    folder = Path(found.model_uri)
    return read_candidate(folder, folder, name=name, run_id=run_id, engine=found.engine)


def _wanted(name: str, found: ObservedRevision | Release, run_id: str | None) -> Wanted:
    return Wanted(
        name=name, revision=found.revision, model_uri=found.model_uri, model_digest=found.model_digest,
        data_version=found.data_version, run_id=run_id, engine=found.engine,
    )  # fmt: skip


def _former(observed: Observation, revision: str | None) -> Release:
    present = None if observed.stable is None else observed.stable.revision
    others = [each for each in reversed(observed.released) if each.revision != present]
    if revision is None and others:
        return others[0]
    for each in reversed(observed.released):  # the present one is only proved again, as after a kill
        if each.revision == revision:
            return each
    known = ", ".join(dict.fromkeys(each.revision for each in others)) or "none"
    what = "no model was released before" if revision is None else "no such revision was released before"
    raise BadInputError(what, value=revision, fix=f"the present one is {present}; those before: {known}")

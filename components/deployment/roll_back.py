"""The work of the door `roll_back`: a name back to the model that it served before."""

from __future__ import annotations

from pathlib import Path

from components.common.artifacts import Endpoint
from components.common.errors import BadInputError
from components.common.names import check_model_name
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.local import LocalTarget
from components.deployment.target import Observation, Release


def roll_back_model(
    endpoint: Path, *, model_name: str, revision: str | None, config: DeployConfig
) -> Endpoint:
    """Release the model that had all requests of a name before the present one, or one of those before.

    It is a release like any other: verified, proved by the golden requests beside the model, and undone
    when it fails.

    Args:
        endpoint: Folder to write: `endpoint.json`.
        model_name: A label of RFC 1123.
        revision: Which of those that were released, or None for the one before.
        config: Where.

    Returns:
        What was written.

    Raises:
        BadInputError: The target serves nothing or nothing under this name, there is nothing to go back to,
            or the former model's folder was changed or removed.
        RefusedError: The former model no longer starts, or answers otherwise; the present one serves on.
        UnavailableError: The target does not answer, or the model is not ready in time; likewise.
    """
    check_model_name(model_name)
    if config.chosen_target() == "none":
        what = "the target `none` serves nothing"
        raise BadInputError(what, where="parameter `deploy.target`", fix="use `local`")
    observed = LocalTarget.from_environment().observe(model_name)
    if observed.url is None:
        raise BadInputError("no such endpoint", value=model_name, fix="`millrace endpoints` lists them")
    former = Path(_former(observed, revision).model_uri)
    return deploy(former, former, endpoint, model_name=model_name, config=config)


def _former(observed: Observation, revision: str | None) -> Release:
    serving = observed.stable
    present = None if serving is None else serving.revision
    others = [each for each in reversed(observed.released) if each.revision != present]
    if revision is None and others:
        return others[0]
    for each in others:
        if each.revision == revision:
            return each
    known = ", ".join(dict.fromkeys(each.revision for each in others)) or "none"
    what = "no model was released before" if revision is None else "no such revision was released before"
    raise BadInputError(what, value=revision, fix=f"the present one is {present}; those before: {known}")

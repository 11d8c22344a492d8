"""What answers at a target, for people and programs that ask."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from components.deployment.config import DeployConfig
from components.deployment.open_target import open_target


def list_endpoints(config: DeployConfig) -> list[dict[str, Any]]:
    """List what is deployed at a target, sorted by name.

    Args:
        config: Which target, and how it is reached.

    Returns:
        For each `name`, `url` (the infer address), `model_digest`, `revision`, `state`, `reason` and
        `model_uri` of the stable revision (None before the first release), `revisions`: all of them,
        `weights`: percent by revision, and `holder`: who is releasing now, or None.

    Raises:
        BadInputError: The target serves nothing.
        UnavailableError: It does not answer.
    """
    target, found = open_target(config), list[dict[str, Any]]()
    for name in target.names():
        observed = target.observe(name)
        stable = observed.stable
        keys = ("model_digest", "revision", "state", "reason", "model_uri")
        told = {key: None if stable is None else getattr(stable, key) for key in keys}
        revisions = [asdict(each) for each in observed.revisions]
        rest = {"revisions": revisions, "weights": observed.weights, "holder": observed.holder}
        found.append({"name": name, "url": observed.url, **told, **rest})
    return found

"""The work of the door `deploy_model`: a judged model in, an endpoint out."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from components.common.artifacts import Endpoint, write_endpoint
from components.common.errors import BadInputError
from components.common.names import check_model_name
from components.deployment.candidate import Candidate, read_candidate
from components.deployment.config import DeployConfig
from components.deployment.manifest import as_written, write_manifest
from components.deployment.open_target import open_target
from components.deployment.release import release_model
from components.deployment.target import Observation, Wanted


def deploy(
    model: Path,
    golden_requests: Path,
    endpoint: Path,
    *,
    model_name: str,
    config: DeployConfig,
    model_uri: str | None = None,
    run_id: str | None = None,
) -> Endpoint:
    """Release a model under a name and write down where it answers.

    Args:
        model: Folder of the complete model, from evaluation.
        golden_requests: Folder with `golden.jsonl`, from evaluation.
        endpoint: Folder to write: `endpoint.json`.
        model_name: A label of RFC 1123.
        config: Where to, and how.
        model_uri: Where the model lies for its target, when that cannot read the folder.
        run_id: The run that releases it, or None for a release by hand.

    Returns:
        What was written.

    Raises:
        BadInputError: The name, the target or the model is not in order, or the target cannot honour what
            was asked for: nothing was done.
        RefusedError: The model was not blessed (nothing was done), or does not answer as it was judged, or
            as well as the old one; what was served before is served again. As `release_model`.
        UnavailableError: The target does not answer, or the model is not ready in time; likewise.
    """
    check_model_name(model_name)
    name = config.chosen_target()
    uri = model_uri if name in ("kserve", "manifest") else None
    candidate = read_candidate(
        model.resolve(), golden_requests, name=model_name, model_uri=uri, run_id=run_id,
        engine=config.engine,
    )  # fmt: skip
    _require_key(candidate, config)
    if name == "manifest":
        write_manifest(endpoint, candidate.wanted, config)
        deployed = describe(as_written(endpoint, candidate.wanted), name)
    else:
        deployed = describe(candidate.wanted, name) if name == "none" else release_to(candidate, config)
    write_endpoint(endpoint, deployed)
    return deployed


def release_to(candidate: Candidate, config: DeployConfig, *, is_decided: bool = False) -> Endpoint:
    """Release a model to the target of a config; takes `is_decided` and raises as `release_model`.

    Returns:
        Where it answers.
    """
    holder = name_holder(candidate.wanted.run_id)
    observed = release_model(
        open_target(config), candidate, config=config, holder=holder, is_decided=is_decided
    )
    return describe(candidate.wanted, config.chosen_target(), observed, golden=len(candidate.golden))


def name_holder(run_id: str | None) -> str:
    """Return who releases, as others are told."""
    by_hand = f"process {os.getpid()} on {socket.gethostname()}"
    return f"run {run_id}" if run_id else by_hand


def _require_key(candidate: Candidate, config: DeployConfig) -> None:
    """Refuse an input that cannot decide who answers: one that is absent, or of numbers with a fraction."""
    if config.sticky is None or not config.sticky.startswith("input:") or candidate.signature is None:
        return
    keys = [entry["name"] for entry in candidate.signature.inputs if entry["datatype"] != "FP32"]
    if config.sticky.removeprefix("input:") not in keys:
        what = "must name an input of texts or whole numbers"
        fix = f"the model has: {', '.join(keys) or 'none'}"
        raise BadInputError(what, where="parameter `deploy.sticky`", value=config.sticky, fix=fix)


def describe(
    wanted: Wanted, target: str, observed: Observation | None = None, *, golden: int = 0
) -> Endpoint:
    """Return what `endpoint.json` says of a revision; without an observation, of one that is not served."""
    served = observed is not None and observed.url is not None
    found = (observed and observed.find(wanted.revision)) or wanted  # what exists keeps place and engine
    return Endpoint(
        name=wanted.name, target=target, url=observed.url if observed is not None else None,
        revision=wanted.revision if served else None, model_digest=wanted.model_digest,
        model_uri=found.model_uri, traffic=observed.weights if observed is not None else {},
        golden_requests=golden, engine=found.engine,
    )  # fmt: skip

"""The work of the door `deploy_model`: a judged model in, an endpoint out."""

from __future__ import annotations

from pathlib import Path

from components.common.artifacts import (
    Endpoint,
    read_evaluation,
    read_golden_requests,
    read_model_record,
    read_signature,
    verify_model,
    write_endpoint,
)
from components.common.errors import BadInputError, RefusedError
from components.common.model_scan import scan_saved_model
from components.common.names import check_model_name
from components.deployment.config import DeployConfig
from components.deployment.local import LocalTarget
from components.deployment.release import Candidate, release_model
from components.deployment.target import Wanted


def deploy(
    model: Path, golden_requests: Path, endpoint: Path, *, model_name: str, config: DeployConfig
) -> Endpoint:
    """Release a model under a name and write down where it answers.

    Args:
        model: Folder of the complete model, from evaluation.
        golden_requests: Folder with `golden.jsonl`, from evaluation.
        endpoint: Folder to write: `endpoint.json`.
        model_name: A label of RFC 1123.
        config: Where to.

    Returns:
        What was written.

    Raises:
        BadInputError: The name, the target or the model is not in order: nothing was done.
        RefusedError: The model was not blessed (nothing was done), or does not answer as it was judged;
            what was served before is served again.
        UnavailableError: The target does not answer, or the model is not ready in time; likewise.
    """
    check_model_name(model_name)
    target = config.chosen_target()
    candidate = _read_candidate(model.resolve(), golden_requests, model_name)
    if target == "none":
        deployed = _endpoint(candidate, target, url=None)
    else:
        local = LocalTarget.from_environment()
        observed = release_model(local, candidate, timeout_seconds=config.timeout_seconds)
        deployed = _endpoint(candidate, target, url=observed.url)
    write_endpoint(endpoint, deployed)
    return deployed


def _read_candidate(model: Path, golden_requests: Path, model_name: str) -> Candidate:
    digest = verify_model(model)
    scan_saved_model(model / "1")
    judged = read_evaluation(model)
    if judged.model != digest:
        raise BadInputError("evaluation.json judges another model", where=model, value=judged.model)
    if not judged.passed:
        reason = judged.reasons[0] if judged.reasons else "no reason was recorded"
        raise RefusedError(f"the model was not blessed: {reason}", where=model)
    wanted = Wanted(
        name=model_name, revision=digest[:12], model_uri=str(model), model_digest=digest,
        data_version=read_model_record(model).digests.get("snapshot"),
    )  # fmt: skip
    return Candidate(
        wanted=wanted, signature=read_signature(model), golden=read_golden_requests(golden_requests)
    )


def _endpoint(candidate: Candidate, target: str, *, url: str | None) -> Endpoint:
    served = url is not None
    return Endpoint(
        name=candidate.name, target=target, url=url, revision=candidate.revision if served else None,
        model_digest=candidate.wanted.model_digest, model_uri=candidate.wanted.model_uri,
        traffic={candidate.revision: 100} if served else {},
        golden_requests=len(candidate.golden) if served else 0,
    )  # fmt: skip

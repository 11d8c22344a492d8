"""The target `manifest`: the InferenceService as a file for git; nothing is asked or touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from components.common.artifacts import MANIFEST
from components.common.errors import BadInputError
from components.common.storage import publishing
from components.deployment.config import DeployConfig
from components.deployment.kserve_change import applied
from components.deployment.kserve_document import RUN_ID, release_of, service
from components.deployment.kserve_refusals import require_weights
from components.deployment.target import Wanted

_NOT_OURS = (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError)


def write_manifest(folder: Path, wanted: Wanted, config: DeployConfig) -> Path:
    """Write what the target `kserve` would apply where nothing is deployed yet.

    The bytes depend on the model and the knobs alone where a file of the same model is written over: the
    run, the place and the data that it names stay, since others would start its pods anew. What git holds
    replaces the present model: KServe moves all requests when the new one is ready, and a canary is for the
    target `kserve`.

    Args:
        folder: Where to, `inference_service.yaml`.
        wanted: The model.
        config: How it serves.

    Returns:
        The file.

    Raises:
        BadInputError: KServe cannot fetch the model from where it lies, or a knob asks for shares.
    """
    require_weights(config)
    if config.shares != (100,):
        what, fix = (
            "a file has no steps: git replaces the model that serves",
            "leave them out, or use `kserve`",
        )
        raise BadInputError(what, where="parameter `deploy.steps`", value=list(config.shares), fix=fix)
    kserve = config.kserve_config()
    spec = applied(None, as_written(folder, wanted), kserve, is_canary=False)
    text = yaml.safe_dump(
        service(wanted.name, kserve, spec), sort_keys=False, width=1000, allow_unicode=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    with publishing(folder / MANIFEST) as draft:
        draft.write_text(text, encoding="utf-8")
    return folder / MANIFEST


def as_written(folder: Path, wanted: Wanted) -> Wanted:
    """Return what is wanted, with the origin that a file of the same model names."""
    file = folder / MANIFEST
    if not file.exists():
        return wanted
    try:
        before = release_of(one := yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["predictor"])
        run_id = one["annotations"][RUN_ID]
    except _NOT_OURS:  # written over
        return wanted
    if before.model_digest != wanted.model_digest:
        return wanted
    return replace(wanted, run_id=run_id, model_uri=before.model_uri, data_version=before.data_version)

"""The target `manifest`: the InferenceService as a file for git; nothing is asked or touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from components.common.errors import BadInputError
from components.common.storage import publishing
from components.deployment.config import DeployConfig
from components.deployment.kserve_change import applied
from components.deployment.kserve_document import MODEL_DIGEST, RUN_ID, service
from components.deployment.kserve_refusals import require_weights
from components.deployment.target import Wanted

MANIFEST = "inference_service.yaml"


def write_manifest(folder: Path, wanted: Wanted, config: DeployConfig) -> Path:
    """Write what the target `kserve` would apply where nothing is deployed yet.

    The bytes depend on the model and the knobs alone; a file of the same model that is there keeps the run
    that it names, since another one would start its pods anew. What git holds replaces the present model:
    KServe moves all requests when the new one is ready, and a canary is for the target `kserve`.

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
    spec = applied(None, _as_before(folder / MANIFEST, wanted), kserve, is_canary=False)
    text = yaml.safe_dump(
        service(wanted.name, kserve, spec), sort_keys=False, width=1000, allow_unicode=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    with publishing(folder / MANIFEST) as draft:
        draft.write_text(text, encoding="utf-8")
    return folder / MANIFEST


def _as_before(file: Path, wanted: Wanted) -> Wanted:
    """Return what is wanted, of the run that a file of the same model names."""
    if not file.exists():
        return wanted
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]["predictor"]["annotations"]
        is_same = told[MODEL_DIGEST] == wanted.model_digest
        return replace(wanted, run_id=str(told[RUN_ID])) if is_same else wanted
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):  # no file of ours: written over
        return wanted

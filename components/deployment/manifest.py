"""The target `manifest`: the InferenceService as a file for git; nothing is asked or touched."""

from __future__ import annotations

from pathlib import Path

import yaml

from components.common.storage import publishing
from components.deployment.config import DeployConfig
from components.deployment.kserve_change import applied
from components.deployment.kserve_document import service
from components.deployment.target import Wanted

MANIFEST = "inference_service.yaml"


def write_manifest(folder: Path, wanted: Wanted, config: DeployConfig) -> Path:
    """Write what the target `kserve` would apply where nothing is deployed yet.

    The bytes depend on the model and the knobs alone. What git holds replaces the model that serves: KServe
    moves all requests when the new one is ready, and a canary is for the target `kserve`.

    Args:
        folder: Where to, `inference_service.yaml`.
        wanted: The model.
        config: How it serves.

    Returns:
        The file.

    Raises:
        BadInputError: KServe cannot fetch the model from where it lies.
    """
    kserve = config.kserve_config()
    spec = applied(None, wanted, kserve, is_canary=False)
    text = yaml.safe_dump(
        service(wanted.name, kserve, spec), sort_keys=False, width=1000, allow_unicode=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    with publishing(folder / MANIFEST) as draft:
        draft.write_text(text, encoding="utf-8")
    return folder / MANIFEST

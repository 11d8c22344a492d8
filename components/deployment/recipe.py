"""The recipe: a digest of all that a run makes models from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.common.artifacts import read_snapshot
from components.common.code import code_digest
from components.common.config import whole
from components.common.modules import find_module
from components.common.storage import file_digest


def compute_recipe(snapshot: Path, parameters: Mapping[str, Any], *, module_uri: str | None) -> str:
    """Digest the data's version, the parameters, the user's module and the code of all rooms.

    Args:
        snapshot: Folder with `snapshot.json`, from ingestion.
        parameters: All parameters that shape a model, JSON values; whole numbers are equal whether they
            came as 3 or 3.0.
        module_uri: The user's module, or None.

    Returns:
        64 hexadecimal digits; equal recipes make equal models.

    Raises:
        BadInputError: As `find_module`, or `snapshot.json` is not in order.
    """
    parts = {
        "snapshot": read_snapshot(snapshot).version,
        "parameters": whole(dict(parameters)),
        "module": None if module_uri is None else file_digest(find_module(module_uri)),
        "code": code_digest(),
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()

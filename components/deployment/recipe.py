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
from components.common.errors import BadInputError
from components.common.storage import file_digest


def compute_recipe(snapshot: Path, parameters: Mapping[str, Any], *, module_uri: str | None) -> str:
    """Digest the data's version, the parameters, the user's module and the code of all rooms.

    Args:
        snapshot: Folder with `snapshot.json`, from ingestion.
        parameters: All parameters that shape a model, JSON values; whole numbers are equal whether they
            came as 3 or 3.0.
        module_uri: Local path of the user's module, or None.

    Returns:
        64 hexadecimal digits; equal recipes make equal models.

    Raises:
        BadInputError: The module is no local file, or `snapshot.json` is not in order.
    """
    parts = {
        "snapshot": read_snapshot(snapshot).version,
        "parameters": whole(dict(parameters)),
        "module": None if module_uri is None else _module_digest(module_uri),
        "code": code_digest(),
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _module_digest(module_uri: str) -> str:
    file = Path(module_uri.removeprefix("file://"))
    if not file.is_file():
        fix = "give the path of one Python file"
        raise BadInputError("no such file", where="parameter `module_uri`", value=module_uri, fix=fix)
    return file_digest(file)

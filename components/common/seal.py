"""Which model this is: the digest that names it, and the seal over all files of a complete one."""

from __future__ import annotations

from pathlib import Path

from components.common.documents import read_json, write_json
from components.common.errors import BadInputError
from components.common.storage import content_digest, content_files, file_digest


def model_digest(folder: Path) -> str:
    """Return the sha256 that names a model: `1/`, `twin/`, `signature.json` and `model.json`.

    Judging a model adds files beside these and does not rename it.
    """
    names = ("signature.json", "model.json")
    return content_digest(folder, only=lambda name: name in names or name.startswith(("1/", "twin/")))


def seal_model(folder: Path) -> None:
    """Write `digest.json`, the sha256 of every content file, as the last file of a complete model."""
    files = {name: file_digest(file) for name, file in content_files(folder) if name != "digest.json"}
    write_json(folder / "digest.json", {"model": model_digest(folder), "files": files})


def verify_model(folder: Path) -> str:
    """Hold a complete model against its `digest.json` and return its model digest.

    Raises:
        BadInputError: `digest.json` is missing or malformed, or a file was changed, added or removed
            since; the first such file is named.
    """
    sealed = read_json(folder / "digest.json")
    found = {name: file_digest(file) for name, file in content_files(folder) if name != "digest.json"}
    wanted = sealed.get("files")
    if not isinstance(wanted, dict) or not isinstance(sealed.get("model"), str):
        raise BadInputError("malformed digest.json", where=folder, fix="evaluate the model again")
    for name in sorted({*found, *wanted}):
        if found.get(name) != wanted.get(name):
            fix = "it was changed after it was judged: evaluate the model again"
            raise BadInputError("model does not match its digest", where=folder / name, fix=fix)
    if (digest := model_digest(folder)) != sealed["model"]:
        raise BadInputError("model does not match its digest", where=folder, value=digest)
    return digest

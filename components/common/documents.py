"""JSON files that say what they are: a format name, a version, and a named error for every defect."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from components.common.errors import BadInputError
from components.common.storage import publishing

Document = TypeVar("Document")


def write_document(path: Path, document: object, *, version: int = 1) -> None:
    """Write a dataclass as JSON with `format` (its class name) and `format_version` ahead of it.

    The bytes depend on the fields alone. NaN and infinities are refused by a `ValueError`.
    """
    # typing has no public name for "any dataclass"
    fields = dataclasses.asdict(document)  # type: ignore[call-overload]
    head = {"format": f"millrace/{type(document).__name__}", "format_version": version}
    write_json(path, {**head, **fields})


def write_json(path: Path, content: object) -> None:
    """Write JSON atomically: two spaces, UTF-8, a newline at the end, no NaN."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with publishing(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def read_document(path: Path, kind: type[Document], *, version: int = 1) -> Document:
    """Read what `write_document` wrote.

    Args:
        path: The file.
        kind: The dataclass it must hold; fields that have defaults may be missing.
        version: The only format version that is understood.

    Raises:
        BadInputError: The file is missing, is no JSON object, is of another format or version, or
            its fields are not those of `kind`.
    """
    content = dict(read_json(path))
    wanted = f"millrace/{kind.__name__}"
    if (found := content.pop("format", None)) != wanted:
        raise BadInputError(f"not a {wanted} file", where=path, value=found)
    if (found := content.pop("format_version", None)) != version:
        fix = f"this Millrace reads version {version}; write the artifact anew with it"
        raise BadInputError(f"{wanted} of another version", where=path, value=found, fix=fix)
    try:
        return kind(**content)
    except (TypeError, ValueError) as error:
        raise BadInputError(f"malformed {wanted} file: {error}", where=path) from error


def read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises:
        BadInputError: The file is missing or holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        fix = "the task before wrote nothing here, or it was deleted: run it again"
        raise BadInputError("file is missing", where=path, fix=fix) from error
    except (OSError, ValueError, RecursionError) as error:
        raise BadInputError(f"not readable as JSON: {error}", where=path) from error
    if not isinstance(content, dict):
        raise BadInputError("must be a JSON object", where=path, value=type(content).__name__)
    return content

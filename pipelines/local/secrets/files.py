"""Reads the keys of one secret or config map. No error shows what the file holds."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from components.common.errors import BadInputError

_YAML = (".yaml", ".yml", ".json")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z0-9._-]+)\s*=(.*)")
_FORMS = "name a folder with a file per key, a YAML file `key: value`, or a file of lines KEY=VALUE"


def read_keys(path: Path, where: str) -> dict[str, bytes]:
    """Read keys and values.

    Args:
        path: A folder with one file per key; a `.yaml`, `.yml` or `.json` file that maps keys to texts, or
            is Kubernetes' own object; or any other file, with lines `KEY=VALUE`.
        where: The option, for errors.

    Raises:
        BadInputError: It is missing or has another form.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        what = f"cannot be read: {error.strerror or type(error).__name__}"
        raise BadInputError(what, where=where, value=str(path), fix=_FORMS) from error
    except UnicodeDecodeError:  # which shows some of it
        raise BadInputError("is no text", where=where, value=str(path), fix=_FORMS) from None
    found = _read_yaml(text) if path.suffix in _YAML else _read_lines(text, path, where)
    if found is None:
        raise BadInputError("is no mapping of keys to texts", where=where, value=str(path), fix=_FORMS)
    return found


def _read_folder(folder: Path) -> dict[str, bytes]:
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    return {file.name: file.read_bytes() for file in files}


def _read_yaml(text: str) -> dict[str, bytes] | None:
    try:
        content: Any = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes texts and nothing else
        if isinstance(content, dict) and content.get("kind") in ("Secret", "ConfigMap"):
            return _read_object(content)
    except (yaml.YAMLError, binascii.Error, TypeError, AttributeError):
        return None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        return None
    return {str(key): str(value).encode() for key, value in content.items()}


def _read_object(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Read the keys of an object as `kubectl get -o yaml` shows it."""
    plain, encoded = (content.get(name) or {} for name in ("data", "binaryData"))
    if content["kind"] == "Secret":
        plain, encoded = content.get("stringData") or {}, plain
    found = {key: base64.b64decode(value, validate=True) for key, value in encoded.items()}
    return {**found, **{key: value.encode() for key, value in plain.items()}}


def _read_lines(text: str, path: Path, where: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        if parts is None:
            raise BadInputError(f"line {number} is not KEY=VALUE", where=where, value=str(path), fix=_FORMS)
        value = parts[2].strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[parts[1]] = (value[1:-1] if quoted else value).encode()
    return found

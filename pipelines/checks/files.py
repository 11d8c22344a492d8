"""Reads what `millrace check` is given: files, folders and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.common.errors import BadInputError
from pipelines.checks.content import at, listed
from pipelines.local.documents import read_documents
from pipelines.local.reading import is_package

STDIN = "-"
_ENDINGS = (".yaml", ".yml", ".json")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902", "configurations", "replacements")


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A file with something to check.

    Attributes:
        name: Its path as it was given, or `<stdin>`.
        documents: Its documents that are not empty.
        package: They are a compiled package, not manifests.
    """

    name: str
    documents: list[Any]
    package: bool


def read_all(targets: Sequence[str]) -> list[Read]:
    """Read files, folders and standard input.

    Args:
        targets: Paths; `-` is standard input. Of a folder, every YAML and JSON file at any depth that is a
            package or a manifest; patches of kustomize are none.

    Raises:
        BadInputError: A file is missing, is no YAML, or is neither a package nor a manifest; or a folder
            holds neither.
    """
    found: list[Read] = []
    for target in targets:
        if target == STDIN:
            found.append(_only(_read(sys.stdin.buffer.read(), "<stdin>"), "<stdin>"))
        elif Path(target).is_dir():
            found += _folder(Path(target))
        else:
            found.append(_only(_read(_content(Path(target)), target), target))
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInputError(f"file cannot be read: {error.strerror}", where=path) from error


def _read(content: bytes, name: str) -> Read | None:
    try:
        documents = read_documents(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a text that is no UTF-8 is a ValueError
        mark = getattr(error, "problem_mark", None)  # not the line itself, which may hold a secret
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadInputError(f"not valid YAML{place}", where=name) from error
    if is_package(documents):
        return Read(name=name, documents=documents, package=True)
    documents = [one for document in documents for one in _unpacked(document)]
    manifests = bool(documents) and all(at(one, "kind") and at(one, "apiVersion") for one in documents)
    return Read(name=name, documents=documents, package=False) if manifests else None


def _unpacked(document: Any) -> list[Any]:
    """Return the objects of a list, as `kubectl get -o yaml` writes it, or the document itself."""
    is_list = str(at(document, "kind")).endswith("List") and isinstance(at(document, "items"), list)
    return listed(document, "items") if is_list else [document]


def _only(read: Read | None, name: str) -> Read:
    if read is None:
        fix = "give what `kfp` compiled, or objects with `apiVersion` and `kind`"
        raise BadInputError("neither a compiled package nor a manifest", where=name, fix=fix)
    return read


def _folder(folder: Path) -> list[Read]:
    files = sorted(path for path in folder.rglob("*") if path.suffix in _ENDINGS and path.is_file())
    read = {path: _read(_content(path), str(path)) for path in files}
    patches = {patch.resolve() for path in files for patch in _patches(path, read[path])}
    found = [one for path, one in read.items() if one and path.resolve() not in patches]
    if not found:
        raise BadInputError("no package and no manifest in this folder", where=folder)
    return found


def _patches(path: Path, read: Read | None) -> Iterator[Path]:
    """Yield the files that a kustomization lays over others: parts of objects that rules would misread."""
    for document in read.documents if read else ():
        if at(document, "kind") not in ("Kustomization", "Component"):
            continue
        for entry in (entry for key in _PATCHES for entry in listed(document, key)):
            name = at(entry, "path") or entry
            if isinstance(name, str) and "\n" not in name:
                yield path.parent / name

"""Which virtual environment stands in for which image."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from components.common.documents import read_json
from components.common.errors import BadInputError
from components.common.images import IMAGE_PREFIX
from components.common.storage import content_digest, file_digest

SOURCE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment in which tasks of an image are executed.

    Attributes:
        folder: The environment.
        digest: sha256 that changes with the packages in it; part of every cache key.
        imports: Modules that tasks of the image need and that take long to import.
    """

    folder: Path
    digest: str
    imports: tuple[str, ...] = ()


def find_environments(images: Iterable[str], mapping: Mapping[str, Path]) -> dict[str, Environment]:
    """Find the environment of each image.

    Args:
        images: References that a package names.
        mapping: Environments by image; they come before our own.

    Returns:
        An environment by image.

    Raises:
        BadInputError: An image is neither ours nor mapped, or its environment is missing.
    """
    return {image: _find(image, mapping) for image in sorted(set(images))}


def _find(image: str, mapping: Mapping[str, Path]) -> Environment:
    if image in mapping:
        folder = mapping[image].absolute()
        return _existing(image, folder, _installed_digest(folder))
    if not image.startswith(IMAGE_PREFIX):
        fix = f"map the image to a virtual environment; known are the images {IMAGE_PREFIX}…"
        raise BadInputError("no environment stands in for this image", where=image, fix=fix)
    declared = declarations()
    ours = declared["images"].get(image.removeprefix(IMAGE_PREFIX))
    if ours is None:
        known = ", ".join(f"{IMAGE_PREFIX}{name}" for name in declared["images"])
        raise BadInputError("no such image of ours", where=image, fix=f"known are {known}")
    name = ours["environment"]
    digest = _locks(*declared["environments"][name]["locks"])
    return _existing(image, SOURCE_ROOT / name, digest, tuple(ours.get("imports", ())))


@functools.cache
def declarations() -> Mapping[str, Any]:
    """Return the content of `environments.yaml`."""
    text = Path(__file__).with_name("environments.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def _existing(image: str, folder: Path, digest: str, imports: tuple[str, ...] = ()) -> Environment:
    if not (folder / "bin" / "python3").exists():
        where = f"environment of image {image}: {folder}"
        raise BadInputError("environment is missing", where=where, fix="`make setup` makes it")
    return Environment(folder=folder, digest=digest, imports=imports)


def _locks(*names: str) -> str:
    files = [SOURCE_ROOT / "locks" / f"{name}.txt" for name in names]
    return _digest(file_digest(file) if file.exists() else "none" for file in files)


def _installed_digest(folder: Path) -> str:
    return _digest(
        part
        for found in sorted(folder.glob("lib/python*/site-packages/*.dist-info"))
        for part in (found.name, *_edited(found))
    )


def _edited(installed: Path) -> Iterator[str]:
    """Yield the digest of a package's Python files when it was installed with `pip install -e`.

    Not of our own: the cache's key holds the rooms that a command names.
    """
    origin = installed / "direct_url.json"  # PyPA's "Recording the Direct URL Origin"
    if not origin.exists():
        return
    told = read_json(origin)
    if told.get("dir_info", {}).get("editable"):
        source = Path(unquote(urlsplit(told["url"]).path))
        if source.resolve() != SOURCE_ROOT.resolve():
            yield (
                content_digest(source, only=lambda name: name.endswith(".py"))
                if source.exists()
                else "none"
            )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

"""Which virtual environment stands in for which image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from components.common.errors import BadInputError
from components.common.images import IMAGE_PREFIX
from components.common.storage import file_digest

SOURCE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment in which tasks of an image are executed.

    Attributes:
        folder: The environment.
        digest: sha256 that changes with the packages in it; part of every cache key.
    """

    folder: Path
    digest: str


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
    if image == f"{IMAGE_PREFIX}validation":
        return _existing(image, SOURCE_ROOT / ".venv-validation", _locks("validation", "validation-kfp"))
    return _existing(image, SOURCE_ROOT / ".venv", _locks("local"))


def _existing(image: str, folder: Path, digest: str) -> Environment:
    if not (folder / "bin" / "python3").exists():
        where = f"environment of image {image}: {folder}"
        raise BadInputError("environment is missing", where=where, fix="`make setup` makes it")
    return Environment(folder=folder, digest=digest)


def _locks(*names: str) -> str:
    files = [SOURCE_ROOT / "locks" / f"{name}.txt" for name in names]
    return _digest(file_digest(file) if file.exists() else "none" for file in files)


def _installed_digest(folder: Path) -> str:
    return _digest(sorted(found.name for found in folder.glob("lib/python*/site-packages/*.dist-info")))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

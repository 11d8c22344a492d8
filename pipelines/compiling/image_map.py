"""Where our images lie: a reference by logical name, as `make images` and `make push` write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import yaml

from components.common.config import require_known
from components.common.errors import BadInputError
from components.common.images import ImageName, image
from pipelines.build import Build, read_build, read_mapping


def read_image_map(file: Path) -> dict[str, str]:
    """Read an image map, such as `docker/images.lock`.

    Args:
        file: YAML: `millrace/ingestion: registry.example/millrace/ingestion@sha256:…`, and so on.

    Raises:
        BadInputError: The file is missing or malformed, or names an image that is not ours.
    """
    found = read_mapping(file)
    where = f"image map {file}"
    check_names(found, where=where)
    for name, reference in found.items():
        if not (isinstance(reference, str) and reference.strip() and " " not in reference):
            raise BadInputError(f"`{name}` must be mapped to a reference", where=where, value=reference)
    return found


def read_mapped_build(build: Path | None, images: Path | None) -> Build:
    """Read build options, with the references of an image map in place of theirs.

    Args:
        build: Build file, or None for the defaults.
        images: Image map, which wins; None for the build file's own images.

    Raises:
        BadInputError: A file is missing or malformed.
    """
    found = read_build(build) if build else Build()
    return replace(found, images={**found.images, **read_image_map(images)}) if images else found


def check_names(images: Mapping[str, Any], *, where: str) -> None:
    """Refuse names that no image of ours has.

    Raises:
        BadInputError: There is one; the nearest that is known is suggested.
    """
    require_known(images, [image(name) for name in get_args(ImageName)], where=where)


def check_all_mapped(package: str, images: Mapping[str, str], *, where: str) -> None:
    """Refuse a package of which an image has no place: on a cluster its pods would wait for ever.

    Args:
        package: Text of a package, or of a component file.
        images: The references that it was compiled with.
        where: The map.

    Raises:
        BadInputError: A task's image is not among them.
    """
    spec = next(yaml.safe_load_all(package))
    for executor in spec["deploymentSpec"]["executors"].values():
        name = executor.get("container", {}).get("image")  # an importer has none
        if name is not None and name not in images.values():
            fix = "`make images` and `make push` write them all"
            raise BadInputError(f"says nothing of `{name}`", where=where, fix=fix)

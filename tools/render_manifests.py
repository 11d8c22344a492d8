"""Renders the pipelines into manifests/, each overlay with its own images: what `make manifests` does.

`base/pipelines` gets a `Pipeline` each, and `overlays/X/rendered` a `PipelineVersion` each and the images
of servers. Each such folder is written anew, so that nothing stays of what is rendered no more. The images
of an overlay are those of its `images.yaml`; those of production stand in `docker/images.lock`, which
`make push` writes. Build options are those of the overlay's `build.yaml`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from components.common.errors import BadInputError, ComponentError
from components.common.images import is_in_registry
from components.common.storage import publishing
from pipelines.build import Build, read_build
from pipelines.compiling.image_map import check_all_mapped, read_image_map
from pipelines.compiling.manifests import manifests
from pipelines.compiling.package import PIPELINES, package_text

SERVING = ("millrace/serving", "millrace/serving-tensorflow")
BY_TAG = ("local", "staging")
_WRITTEN = "# Written by `make manifests`; changes belong to the images and build options beside it.\n"


def render_pipelines(folder: Path) -> None:
    """Write what all overlays share: the pipelines, which say nothing of images.

    Args:
        folder: `manifests/`.
    """
    with publishing(folder / "base" / "pipelines") as draft:
        _write_resources(draft, {name: manifests(package_text(name, Build()))[0] for name in PIPELINES})


def render_overlay(overlay: Path, images: Path) -> None:
    """Write `rendered/` of an overlay.

    Args:
        overlay: Its folder; build options are the defaults where it has no `build.yaml`.
        images: Image map.

    Raises:
        BadInputError: A file is malformed, or an image that is used is not in the map.
    """
    found = read_image_map(images)
    if unsaid := [name for name in SERVING if name not in found]:
        raise BadInputError(f"says nothing of `{unsaid[0]}`", where=f"image map {images}")
    file = overlay / "build.yaml"
    build = replace(read_build(file) if file.exists() else Build(), images=found)
    packages = {name: package_text(name, build) for name in PIPELINES}
    for package in packages.values():
        check_all_mapped(package, found, where=f"image map {images}")
    with publishing(overlay / "rendered") as draft:
        versions = {name: manifests(package)[1] for name, package in packages.items()}
        label = {"pairs": {"app.kubernetes.io/instance": "millrace"}}
        _write_resources(draft / "versions", versions, labels=[label])
        serving = {"resources": ["versions"], "images": [_image(name, found[name]) for name in SERVING]}
        _write(draft / "kustomization.yaml", _kustomization("Component", "v1alpha1") | serving)


def render_production(folder: Path, lock: Path) -> None:
    """Write production's overlay, whose images are named by digest only.

    Args:
        folder: `manifests/`.
        lock: `docker/images.lock`.

    Raises:
        BadInputError: The lock is missing, or names an image by tag, or one that is in no registry.
    """
    fix = "`make push REGISTRY=… TAG=…` writes it"
    if not lock.exists():
        raise BadInputError("production has no images: the file is missing", where=str(lock), fix=fix)
    for name, reference in sorted(read_image_map(lock).items()):
        if "@sha256:" not in reference or not is_in_registry(reference):
            what = f"has no place in a registry for `{name}`"
            raise BadInputError(what, where=str(lock), value=reference, fix=fix)
    render_overlay(folder / "overlays" / "production", lock)


def main() -> int:
    """Render all, from the repository's root; production last, since it may have no images yet."""
    folder = Path("manifests")
    try:
        render_pipelines(folder)
        for name in BY_TAG:
            overlay = folder / "overlays" / name
            render_overlay(overlay, overlay / "images.yaml")
        render_production(folder, Path("docker", "images.lock"))
    except ComponentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _kustomization(kind: str, version: str) -> dict[str, Any]:
    return {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind}


def _image(name: str, reference: str) -> dict[str, str]:
    """Return a reference as kustomize's transformer of images takes it."""
    place, _, digest = reference.partition("@")
    head, colon, tag = place.rpartition(":")
    if not colon or "/" in tag:  # the colon of a registry's port
        head, tag = place, ""
    told = {"name": name, "newName": head}
    return told | ({"digest": digest} if digest else {"newTag": tag or "latest"})


def _write_resources(folder: Path, objects: Mapping[str, dict[str, Any]], **more: Any) -> None:
    """Write a kustomization and its objects, each by its name."""
    for name, content in objects.items():
        _write(folder / f"{name}.yaml", content)
    listed = {"namespace": "millrace", **more, "resources": [f"{name}.yaml" for name in objects]}
    _write(folder / "kustomization.yaml", _kustomization("Kustomization", "v1beta1") | listed)


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_WRITTEN + yaml.safe_dump(content, sort_keys=False, width=1 << 20), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

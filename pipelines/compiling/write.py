"""What `millrace compile` does: all that was asked for, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.common.errors import BadInputError
from components.common.storage import publishing
from pipelines.build import Build
from pipelines.compiling.component_files import component_text
from pipelines.compiling.gallery import write_gallery
from pipelines.compiling.image_map import check_all_mapped, read_mapped_build
from pipelines.compiling.manifests import manifests_text
from pipelines.compiling.package import PIPELINES, package_text
from pipelines.doors import doors


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What is to be compiled.

    Attributes:
        pipeline: Name of one of our pipelines, or None.
        every: All of them.
        components: All doors, each as a file of its own.
        build: Build file, or None for the defaults.
        images: Image map, or None for those of the build file. It must name all images that are used.
        kubernetes: Manifests instead of packages.
    """

    pipeline: str | None = None
    every: bool = False
    components: bool = False
    build: Path | None = None
    images: Path | None = None
    kubernetes: bool = False


def write_files(order: Order, folder: Path) -> list[Path]:
    """Compile, and write when all went well.

    Args:
        order: What.
        folder: Where to; files of the same names are replaced.

    Returns:
        What was written.

    Raises:
        BadInputError: The order is none, or a file that it names is missing or wrong.
    """
    if sum((order.pipeline is not None, order.every, order.components)) != 1:
        fix = f"name a pipeline ({', '.join(PIPELINES)}), or give one of --all and --components"
        raise BadInputError("one thing is compiled at a time", fix=fix)
    if order.kubernetes and order.components:
        raise BadInputError("components are no objects of Kubernetes", where="option --format")
    build = read_mapped_build(order.build, order.images)
    texts = _texts(order, build)
    if order.images:
        for text in texts.values():
            check_all_mapped(text, build.images, where=f"image map {order.images}")
    written = [folder / f"{name}.yaml" for name in texts]
    for file, text in zip(written, texts.values(), strict=True):
        with publishing(file) as out:
            out.write_text(manifests_text(text) if order.kubernetes else text, encoding="utf-8")
    if order.components:
        write_gallery(written, folder / "index.html")
        written.append(folder / "index.html")
    return written


def _texts(order: Order, build: Build) -> Mapping[str, str]:
    if order.components:
        return {name: component_text(name, build.images) for name in sorted(doors())}
    names = tuple(PIPELINES) if order.every else (str(order.pipeline),)
    return {name: package_text(name, build) for name in names}

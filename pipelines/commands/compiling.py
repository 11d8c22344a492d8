"""The command that makes files for a cluster: packages, manifests, components."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import BuildFile, ImagesFile


class Format(StrEnum):
    """What becomes of a pipeline."""

    package = "package"
    kubernetes = "kubernetes"


def compile_(
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    pipeline: Annotated[
        str | None, typer.Argument(help="A pipeline: training, screening, release, …")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All pipelines.")] = False,
    components: Annotated[
        bool, typer.Option("--components", help="Each component as a file of its own, and a page of them.")
    ] = False,
    build: BuildFile = None,
    images: ImagesFile = None,
    form: Annotated[
        Format, typer.Option("--format", help="A package, or a Pipeline and a PipelineVersion for git.")
    ] = Format.package,
) -> None:
    """Compile pipelines into packages that KFP takes, or components into files that any pipeline takes."""
    from pipelines.compiling.write import Order, write_files

    order = Order(
        pipeline=pipeline, every=every, components=components, build=build, images=images,
        kubernetes=form is Format.kubernetes,
    )  # fmt: skip
    for file in write_files(order, out):
        typer.echo(file)

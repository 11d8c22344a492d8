"""Compiling a pipeline into a package: a pure function of the pipeline, the build options and our code."""

from __future__ import annotations

import difflib
import importlib
import tempfile
from pathlib import Path

from components.common.errors import BadInputError
from components.common.storage import publishing
from pipelines.build import Build

PIPELINES = ("training", "screening")


def compile_pipeline(name: str, build: Build, folder: Path) -> Path:
    """Compile one of our pipelines.

    Args:
        name: One of `PIPELINES`.
        build: Build options.
        folder: Where `<name>.yaml` is written.

    Returns:
        The package's path. The same inputs give the same bytes.

    Raises:
        BadInputError: There is no such pipeline, or `build.images` names an image that it does not use.
    """
    if name not in PIPELINES:
        near = difflib.get_close_matches(name, PIPELINES, n=1)
        known = f"known: {', '.join(PIPELINES)}; a compiled package is named with its .yaml"
        fix = f"did you mean `{near[0]}`?" if near else known
        raise BadInputError("no such pipeline", value=name, fix=fix)
    from kfp import compiler

    pipeline = importlib.import_module(f"pipelines.{name}").define(build)
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / f"{name}.yaml"
        compiler.Compiler().compile(pipeline, str(draft))
        text = draft.read_text(encoding="utf-8")
    package = folder / f"{name}.yaml"
    with publishing(package) as out:
        out.write_text(_with_images(text, build), encoding="utf-8")
    return package


def _with_images(text: str, build: Build) -> str:
    for logical, reference in build.images.items():
        line = f"        image: {logical}\n"
        if line not in text:
            raise BadInputError(f"no task uses the image `{logical}`", where="build option `images`")
        text = text.replace(line, f"        image: {reference}\n")
    return text

"""Compiling a pipeline into a package: a pure function of the pipeline, the build options and our code."""

from __future__ import annotations

import difflib
import hashlib
import pkgutil
import tempfile
from pathlib import Path

from components.common.errors import BadInputError
from components.common.storage import publishing
from pipelines.build import Build
from pipelines.compiling.image_map import check_names

PIPELINES = {  # which function defines each
    "training": "pipelines.training:define",
    "screening": "pipelines.screening:define",
    "release": "pipelines.deployment:define_release",
    "promote": "pipelines.deployment:define_promote",
    "rollback": "pipelines.deployment:define_rollback",
}


def compile_pipeline(name: str, build: Build, folder: Path) -> Path:
    """Compile one of our pipelines.

    Args:
        name: One of `PIPELINES`.
        build: Build options.
        folder: Where `<name>.yaml` is written.

    Returns:
        The package's path. The same inputs give the same bytes.

    Raises:
        BadInputError: As `package_text`.
    """
    package, text = folder / f"{name}.yaml", package_text(name, build)
    with publishing(package) as out:
        out.write_text(text, encoding="utf-8")
    return package


def package_text(name: str, build: Build) -> str:
    """Return the package of one of our pipelines.

    Raises:
        BadInputError: There is no such pipeline, or `build.images` names an image that is not ours.
    """
    if name not in PIPELINES:
        near = difflib.get_close_matches(name, PIPELINES, n=1)
        known = f"known: {', '.join(PIPELINES)}; a compiled package is named with its .yaml"
        fix = f"did you mean `{near[0]}`?" if near else known
        raise BadInputError("no such pipeline", value=name, fix=fix)
    check_names(build.images, where="build option `images`")
    from kfp import compiler

    pipeline = pkgutil.resolve_name(PIPELINES[name])(build)
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / f"{name}.yaml"
        compiler.Compiler().compile(pipeline, str(draft))
        return draft.read_text(encoding="utf-8")


def version_name(name: str, package: str) -> str:
    """Return the name of a pipeline's version, which changes with each byte of its package.

    Args:
        name: Of the pipeline.
        package: Its text.

    Returns:
        Such as `training-0123456789ab`: it is a name for objects of Kubernetes, too.
    """
    return f"{name}-{hashlib.sha256(package.encode()).hexdigest()[:12]}"

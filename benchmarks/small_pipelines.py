# pyright: basic, reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false
"""Pipelines of trivial tasks, and how they are run in our runner and in stock `kfp.local`."""

import contextlib
import io
import logging
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from kfp import compiler, dsl, local

from components.common.errors import UnavailableError
from components.common.images import image
from pipelines.local.runner import RunResult, run_package


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def pass_on(text: str) -> str:
    """Return what came in."""
    return text


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def count_to(number: int) -> list[str]:
    """Return so many texts."""
    return [str(found) for found in range(number)]


def chain(tasks: int) -> Any:
    """Return a pipeline that hands a text on from task to task."""

    @dsl.pipeline(name=f"chain-{tasks}")
    def pipeline(text: str = "x"):  # noqa: ANN202 - KFP reads a return annotation as an output
        for _ in range(tasks):
            text = pass_on(text=text).output

    return pipeline


def loop(items: int) -> Any:
    """Return a pipeline that passes on each of many texts, independently of one another."""

    @dsl.pipeline(name=f"loop-{items}")
    def pipeline():  # noqa: ANN202 - KFP reads a return annotation as an output
        with dsl.ParallelFor(count_to(number=items).output) as item:
            pass_on(text=item)

    return pipeline


def compiled(pipeline: Any, folder: Path) -> Path:
    """Compile a pipeline into a folder."""
    package = folder / "package.yaml"
    compiler.Compiler().compile(pipeline, str(package))
    return package


def run_ours(package: Path, folder: Path) -> tuple[float, RunResult]:
    """Run a package without the cache; returns the seconds it took."""
    started = time.perf_counter()
    result = run_package(package, {}, root=folder / "runs", use_cache=False)
    seconds = time.perf_counter() - started
    if result.exit_code:
        raise UnavailableError("the pipeline failed in our runner", where=result.directory)
    return seconds, result


def run_stock(pipeline: Any) -> float:
    """Run a pipeline in stock `kfp.local`; returns the seconds it took."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=folder)
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the image is not its own; none is used
            started = time.perf_counter()
            pipeline()
            seconds = time.perf_counter() - started
    logging.disable(logging.NOTSET)
    return seconds

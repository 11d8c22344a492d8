# pyright: basic, reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false
"""What a task costs beyond its work: a chain of trivial tasks in our runner and in stock `kfp.local`."""

import contextlib
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from kfp import compiler, dsl, local

from benchmarks.record import Record, judge
from components.common.errors import UnavailableError
from components.common.images import image
from pipelines.local.run import run_package

TASKS = 10


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def pass_on(text: str) -> str:
    """Return what came in."""
    return text


@dsl.pipeline(name="chain")
def chain(text: str):  # noqa: ANN201 - KFP reads a return annotation as an output
    """Hand a text on from task to task."""
    for _ in range(TASKS):
        text = pass_on(text=text).output


def measure() -> Record:
    """Time the second run of the chain in each, caches off."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ours = _second(lambda: _run_ours(folder))
        peer = _second(lambda: _run_stock(folder))
    return judge(
        "runner_overhead",
        ours / TASKS,
        peer=peer / TASKS,
        at="most",
        bound=1.0,
        conditions={"unit": "seconds per task, wall", "peer": "kfp.local.SubprocessRunner", "tasks": TASKS},
    )


def _second(run: Callable[[], None]) -> float:
    run()  # fills the disk cache and compiles bytecode
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _run_ours(folder: Path) -> None:
    package = folder / "chain.yaml"
    compiler.Compiler().compile(chain, str(package))
    result = run_package(
        package, {"text": "x"}, root=folder / "runs", use_cache=False,
        environment={}, on_event=lambda event: None,
    )  # fmt: skip
    if result.exit_code:
        raise UnavailableError("the chain failed in our runner", where=result.directory)


def _run_stock(folder: Path) -> None:
    logging.disable(logging.INFO)
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(folder / "stock"))
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the image is not its own; no container is used
        chain(text="x")
    logging.disable(logging.NOTSET)

# pyright: basic, reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false
"""Eight trials on the flights, two at once on two cores, against one trial alone."""

import tempfile
from pathlib import Path
from typing import Any

from kfp import compiler, dsl

from benchmarks.latest_run import artifact, latest_run
from benchmarks.record import Record, judge
from components.common.images import image
from pipelines.build import Build
from pipelines.local.runner import run_package
from pipelines.search import search

TRIALS, PARALLELISM = 8, 2
SPACE = {"epochs": 3, "patience": 1_000}  # every trial has the same work
PORTS = ("transformed_examples", "transform_graph", "schema", "statistics", "snapshot")


@dsl.component(base_image=image("deployment"), install_kfp_package=False)
def bring(folder: str, data: dsl.Output[dsl.Artifact]) -> None:
    """Copy a folder into an artifact."""
    import shutil

    shutil.copytree(folder, data.path)


def measure() -> Record:
    """Compare the wall time of the loop with that of the one trial, half as often as there are trials."""
    record = latest_run()
    folders = {name: str(artifact(record, name)) for name in PORTS}
    with tempfile.TemporaryDirectory() as scratch:
        alone = _seconds(Path(scratch), folders, trials=1)
        together = _seconds(Path(scratch), folders, trials=TRIALS)
    return judge(
        "parallel_search", round(together, 1), peer=round(alone * TRIALS / PARALLELISM, 1), at="most",
        bound=1.25,
        conditions={
            "unit": "seconds, wall", "peer": "one trial alone, one thread, times trials / 2",
            "trials": TRIALS, "parallelism": PARALLELISM, "alone_seconds": round(alone, 2),
        },
    )  # fmt: skip


def _seconds(scratch: Path, folders: dict[str, str], *, trials: int) -> float:
    """Return the time from the start of the first trial's task to the end of the last one's."""
    package = scratch / f"{trials}.yaml"
    compiler.Compiler().compile(_define(), str(package))
    parameters = {**folders, "trials": trials, "space": SPACE}
    result = run_package(package, parameters, root=scratch / "runs", use_cache=False)
    tasks = [task for task in result.tasks if task.name.startswith("train-trials")]
    if result.state != "SUCCEEDED" or len(tasks) != trials:
        raise RuntimeError(f"the search did not end well: {result.error}")
    ends = [(task.began_seconds or 0.0) + (task.seconds or 0.0) for task in tasks]
    return max(ends) - min(task.began_seconds or 0.0 for task in tasks)


def _define() -> Any:
    @dsl.pipeline(name="parallel-search")
    def pipeline(
        transformed_examples: str, transform_graph: str, schema: str, statistics: str, snapshot: str,
        space: dict, trials: int,
    ) -> None:  # fmt: skip
        brought = {
            name: bring(folder=folder).outputs["data"]
            for name, folder in zip(
                PORTS, (transformed_examples, transform_graph, schema, statistics, snapshot), strict=True
            )
        }
        search(
            Build(parallelism=PARALLELISM), options={"reference": False}, made_from=brought,
            asked={"search_space": space, "trials": trials, "sampler": "random", "seed": 0},
        )  # fmt: skip

    return pipeline

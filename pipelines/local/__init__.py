"""The embedded runner: executes a compiled package on this machine.

`from pipelines.local import run` is the command `millrace run` for Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # who only asks the store or serves a model does not load the runner
    from pipelines.local.events import Event
    from pipelines.local.result import RunResult


def run(
    pipeline: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    params: Path | None = None,
    build: Path | None = None,
    from_run: str | None = None,
    resume: str | bool = False,
    secrets: Mapping[str, Path] | None = None,
    config_maps: Mapping[str, Path] | None = None,
    root: Path = Path("runs"),
    use_cache: bool = True,
    fresh: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> RunResult:
    """Do what `millrace run` does, quietly.

    Args:
        pipeline: Name of one of our pipelines, or path of a compiled package (`.yaml`); None for the
            package of the run `from_run`.
        parameters: Parameters of the pipeline; they win over the file, the file over the earlier run.
        params: YAML file of parameters.
        build: YAML file of build options; of a compiled package, its `images` name the environments.
        from_run: Id of a run whose parameters are taken first.
        resume: Id of a run to go on with, or True for the newest that was killed, was cancelled or failed;
            with no pipeline and no parameters, since it has its own. One that has succeeded stays as it is.
        secrets: File or folder of each secret that the package asks for, by name.
        config_maps: The same of config maps.
        root: Folder of runs, cache, lineage and serving state; made when missing.
        use_cache: Take results of equal tasks of earlier runs.
        fresh: Start every task as a process of its own, none forked from a warm parent.
        on_event: Is told each step, in the calling thread.

    Returns:
        How it ended, also when it failed. Its page is `report.html` in its directory.

    Raises:
        ComponentError: Something was wrong before anything ran.
    """
    from pipelines.execution import run_request
    from pipelines.request import Request

    request = Request(
        pipeline=None if pipeline is None else str(pipeline), parameters=parameters or {}, params=params,
        build=build, earlier=from_run, resume=resume, secrets=secrets or {}, config_maps=config_maps or {},
        root=root, use_cache=use_cache, fresh=fresh,
    )  # fmt: skip
    return run_request(request, on_event)

"""What `millrace run` does: compile, gather parameters, see to a supervisor, run, and tell."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from components.common.documents import read_json
from components.common.errors import ComponentError
from pipelines.build import Build, read_build
from pipelines.compiling.package import compile_pipeline, parameter_types
from pipelines.local.reading import read_package
from pipelines.local.run import RunResult, resolve_parameters, run_package
from pipelines.local.serving.client import start_detached
from pipelines.parameter_values import gather_parameters
from pipelines.progress import Progress
from pipelines.report import write_report
from pipelines.summary import summarise

_KEYS = ("run_id", "pipeline", "state", "seconds", "directory", "outputs", "endpoint", "error")


def execute(
    pipeline: str,
    params: Path | None,
    build: Path | None,
    settings: Sequence[str],
    *,
    root: Path,
    use_cache: bool,
    as_json: bool,
) -> int:
    """Run one of our pipelines here and tell what came of it.

    Args:
        pipeline: Its name.
        params: Parameter file, or None.
        build: Build file, or None for the defaults.
        settings: `key=value` of the command line.
        root: Folder of runs.
        use_cache: Reuse results of equal tasks.
        as_json: Write one JSON object to standard output and nothing else.

    Returns:
        The exit code of the command.

    Raises:
        ComponentError: Something was wrong before the run began, and `as_json` is off.
    """
    try:
        result = _run(pipeline, params, build, settings, root=root, use_cache=use_cache, quiet=as_json)
    except ComponentError as error:
        if not as_json:
            raise
        _write_json(_never_began(pipeline, str(error)))
        return error.exit_code
    record = read_json(Path(result.directory) / "run.json")
    report = write_report(record, Path(result.directory))
    if as_json:
        _write_json({key: record[key] for key in _KEYS if key in record})
    else:
        _tell(record, report)
    return result.exit_code


def _run(
    pipeline: str,
    params: Path | None,
    build: Path | None,
    settings: Sequence[str],
    *,
    root: Path,
    use_cache: bool,
    quiet: bool,
) -> RunResult:
    options = read_build(build) if build else Build()
    with tempfile.TemporaryDirectory() as scratch:
        # images are named for a registry only when a package leaves this machine
        package = compile_pipeline(pipeline, replace(options, images={}), Path(scratch))
        values = gather_parameters(params, settings, parameter_types(package))
        resolve_parameters(read_package(package), values)  # a mistake is told before a server is started
        environment = _supervised(values, root)
        with nullcontext() if quiet else Progress() as progress:
            return run_package(
                package,
                values,
                root=root,
                use_cache=use_cache,
                environment=environment,
                on_event=progress or (lambda event: None),
            )


def _supervised(values: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Start a supervisor when the run will deploy here, and name it to the tasks."""
    deploy = values.get("deploy") or {}
    if not isinstance(deploy, Mapping) or deploy.get("target", "local") != "local":
        return {}
    return {"MILLRACE_SUPERVISOR": str(start_detached(root).file)}


def _never_began(pipeline: str, error: str) -> dict[str, Any]:
    empty = {"run_id": None, "seconds": 0.0, "directory": None, "outputs": {}, "endpoint": None}
    return {"pipeline": pipeline, "state": "FAILED", **empty, "error": error}


def _write_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _tell(record: Mapping[str, Any], report: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    summary = summarise(record["outputs"])
    console.print()
    for name, text in [*summary.lines, ("report", str(report))]:
        console.print(Text.assemble((f"  {name:<11}", "bold"), text))
    if summary.curl:
        console.print(Text.assemble("\n  Ask it:\n\n", summary.curl, "\n"))
    if error := record.get("error"):
        failed = [task for task in record["tasks"] if task["state"] in ("FAILED", "REFUSED")]
        log = f" (log: {report.parent / 'logs' / failed[0]['name']}.log)" if failed else ""
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            Text(f"error: {error}{log}", style="red")
        )

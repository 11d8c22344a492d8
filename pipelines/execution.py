"""What `millrace run` does: make the request ready, run, and tell."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from components.common.documents import read_json
from components.common.errors import ComponentError
from pipelines.ending import remedies, tell_ending
from pipelines.local.events import Event, Notice, PassedOver
from pipelines.local.record import load_record
from pipelines.local.result import RunResult
from pipelines.local.runner import run_package
from pipelines.pages.index import write_index
from pipelines.pages.report import write_report
from pipelines.progress import Progress
from pipelines.request import Request, prepared, run_to_resume

_KEYS = ("run_id", "pipeline", "state", "seconds", "directory", "outputs", "endpoint", "error")


def execute(request: Request, *, as_json: bool) -> int:
    """Run something here and tell what came of it.

    Args:
        request: What to run.
        as_json: Write one JSON object to standard output and nothing else.

    Returns:
        The exit code of the command.

    Raises:
        ComponentError: Something was wrong before the run began, and `as_json` is off.
    """
    try:
        with nullcontext() if as_json else Progress() as progress:
            result = run_request(request, progress or _write_notice)
    except ComponentError as error:
        if not as_json:
            raise
        _write_json(_never_began(request, "FAILED", str(error)))
        return error.exit_code
    except KeyboardInterrupt:
        said = "cancelled before the run began"
        if as_json:
            _write_json(_never_began(request, "CANCELLED", said))
        else:
            sys.stderr.write(f"{said}\n")
        return 130
    record = read_json(result.directory / "run.json")
    if as_json:
        _write_json({key: record[key] for key in _KEYS if key in record})
    else:
        tell_ending(record, result.directory / "report.html", request)
    return result.exit_code


def run_request(request: Request, on_event: Callable[[Event], None]) -> RunResult:
    """Run something here, write its page, `report.html`, and the page of all runs, `index.html`.

    Args:
        request: What to run.
        on_event: Is told each step, in the calling thread.

    Raises:
        ComponentError: Something was wrong before the run began.
    """
    result = _succeeded_before(request, on_event) if request.resume else None
    if result is None:
        result = _run(request, on_event)
    record = read_json(result.directory / "run.json")
    try:
        write_report(record, result.directory, advice=remedies(record, request))
        write_index(request.root)
    except Exception as error:  # the run has ended: what its page stumbles over must not hide how
        on_event(Notice(message=f"the run's page could not be written: {type(error).__name__}: {error}"))
    return result


def _run(request: Request, on_event: Callable[[Event], None]) -> RunResult:
    def on_other(event: Event) -> None:
        if not (request.is_ours and isinstance(event, PassedOver)):  # nobody asked for it
            on_event(event)

    with prepared(request) as ready:
        return run_package(
            ready.package, ready.parameters, root=request.root, use_cache=request.use_cache,
            environment=ready.variables, images=ready.images, secrets=request.secrets,
            config_maps=request.config_maps, fresh=request.fresh, on_event=on_other,
            unfinished=ready.unfinished,
        )  # fmt: skip


def _succeeded_before(request: Request, on_event: Callable[[Event], None]) -> RunResult | None:
    """Return the result of a run that is to be gone on with when nothing of it is left to do."""
    run = run_to_resume(request)
    if run.record["state"] != "SUCCEEDED":
        return None
    on_event(Notice(message=f"run {run.run_id} has succeeded: nothing is left to do"))
    return RunResult.of(load_record(run.folder / "run.json"), 0)


def _never_began(request: Request, state: str, error: str) -> dict[str, Any]:
    empty = {"run_id": None, "seconds": 0.0, "directory": None, "outputs": {}, "endpoint": None}
    return {"pipeline": request.pipeline, "state": state, **empty, "error": error}


def _write_notice(event: Event) -> None:
    if isinstance(event, Notice):
        sys.stderr.write(f"note: {event.message}\n")


def _write_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

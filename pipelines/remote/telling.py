"""What `millrace submit` does: check, bring the pipeline to Kubeflow, watch it when asked to, and tell."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from rich.console import Console
from rich.text import Text

from components.common.errors import ComponentError
from pipelines.local.events import Event, Notice
from pipelines.progress import Progress
from pipelines.remote.api import Kubeflow
from pipelines.remote.host import Host
from pipelines.remote.submission import Ready, Submission, Submitted, make_ready, submit
from pipelines.remote.watching import Ending, watch


def execute(submission: Submission, host: Host, *, wait: bool, as_json: bool) -> int:
    """Submit a run and tell what came of it.

    Args:
        submission: What to run.
        host: Where.
        wait: Watch it until it has ended; else it is only begun.
        as_json: Write one JSON object to standard output and nothing else.

    Returns:
        The exit code of the command.

    Raises:
        ComponentError: Something was wrong, and `as_json` is off.
    """
    content: dict[str, Any] = {
        "run_id": None, "pipeline": submission.request.pipeline, "version": None, "experiment": None,
        "state": "FAILED", "seconds": None, "page": None,
    }  # fmt: skip
    try:
        ready = make_ready(submission)
        kubeflow = Kubeflow(host)
        taken = submit(kubeflow, ready, submission)
        page = host.run_page(taken.run_id)
        content |= {**vars(taken), "pipeline": ready.pipeline, "state": "PENDING", "page": page}
        if not as_json:
            _tell_submitted(taken, host, wait=wait)
        if not wait:
            if as_json:
                _write_json(content)
            return 0
        ending = _watched(kubeflow, ready, taken, as_json=as_json)
    except ComponentError as error:
        if not as_json:
            raise
        _write_json({**content, "error": str(error)})
        return error.exit_code
    except KeyboardInterrupt:
        return _left(content, host, as_json=as_json)
    if as_json:
        _write_json({**content, **_ended(ending)})
    else:
        _tell_ending(ending, host)
    return ending.exit_code


def _watched(kubeflow: Kubeflow, ready: Ready, taken: Submitted, *, as_json: bool) -> Ending:
    try:
        with nullcontext() if as_json else Progress() as progress:
            tell: Callable[[Event], None] = progress or _write_notice
            return watch(kubeflow, taken.run_id, ready.package, tell)
    except ComponentError:
        sys.stderr.write(f"note: nobody watches any more; run {taken.run_id} goes on\n")
        raise


def _ended(ending: Ending) -> dict[str, Any]:
    found: dict[str, Any] = {"state": ending.state, "seconds": ending.seconds}
    return found if ending.error is None else {**found, "task": ending.failed, "error": ending.error}


def _left(content: Mapping[str, Any], host: Host, *, as_json: bool) -> int:
    """End at Ctrl-C: what was begun on Kubeflow stays, as it does when a `gh run watch` is left."""
    run = content["run_id"]
    said = "nothing was submitted"
    if run is not None:
        said = f"the run goes on; to end it: {command('cancel', run, host)}"
    if as_json:
        _write_json({**content, "state": content["state"] if run else "CANCELLED", "error": said})
    else:
        sys.stderr.write(f"{said}\n")
    return 130


def _tell_submitted(taken: Submitted, host: Host, *, wait: bool) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    there = "uploaded" if taken.version_is_new else "was there already"
    lines = [("version", f"{taken.version} ({there})"), ("experiment", taken.experiment)]
    if not wait:  # else the first line of the view has the page
        lines += [("page", host.run_page(taken.run_id))]
        lines += [("logs", command("logs", taken.run_id, host, "-f"))]
    _tell(console, lines)
    sys.stdout.write(f"{taken.run_id}\n")
    sys.stdout.flush()


def _tell_ending(ending: Ending, host: Host) -> None:
    if ending.error is None:
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text(f"\nerror: {ending.error}", style="red"))
    lines = [("task", ending.failed)] if ending.failed else []
    words = [ending.run.run_id, *([ending.failed] if ending.failed else [])]
    lines += [("log", command("logs", *words, host)), ("page", host.run_page(ending.run.run_id))]
    _tell(console, lines)


def _tell(console: Console, lines: list[tuple[str, str]]) -> None:
    for name, text in lines:
        console.print(Text.assemble((f"  {name:<11}", "bold"), text))


def command(verb: str, *words: str | Host) -> str:
    """Return a command about a run, to be copied; of a host the options that name it."""
    parts = [part for word in words for part in (word.options() if isinstance(word, Host) else [word])]
    return shlex.join(["millrace", verb, *parts])


def _write_notice(event: Event) -> None:
    if isinstance(event, Notice):
        sys.stderr.write(f"note: {event.message}\n")


def _write_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

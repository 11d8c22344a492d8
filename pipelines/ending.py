"""The last lines of a run for people: what came of it, or why it failed and what to do then."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from pipelines.request import Request
from pipelines.summary import summarise

_INDENT = 13  # columns: two, and a name


def tell_ending(record: Mapping[str, Any], report: Path, request: Request) -> None:
    """Print what a person wants to know of a run that ended.

    Args:
        record: What its `run.json` holds.
        report: Its page.
        request: What it was told to do.
    """
    console = Console(highlight=False, soft_wrap=True)
    summary = summarise(record["outputs"])
    console.print()
    width = console.width if console.is_terminal else None
    for name, text in summary.lines:
        console.print(Text.assemble((f"  {name:<11}", "bold"), _indented(text, width)))
    if report.exists():
        console.print(Text.assemble((f"  {'report':<11}", "bold"), str(report)))
    if summary.curl:
        console.print(Text.assemble("\n  Ask it:\n\n", summary.curl, "\n"))
    if error := record.get("error"):
        told = Console(stderr=True, highlight=False, soft_wrap=True)
        told.print(Text(f"\nerror: {error}", style="red"))
        for name, text in failure_lines(record, request):
            told.print(Text.assemble((f"  {name:<11}", "bold"), text))


def _indented(text: str, width: int | None) -> str:
    """Break a text at words so that it stands in a column of its own; what is to be copied stays whole."""
    if width is None:
        return text
    room = max(width - _INDENT, 20)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * _INDENT}".join(lines)


def failure_lines(record: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    """Return where to look after a run that did not succeed, and how to repeat it.

    Args:
        record: What its `run.json` holds.
        request: What it was told to do.

    Returns:
        Names and texts: the task that the run's error names, its log when it wrote one, and commands.
    """
    lines: list[tuple[str, str]] = []
    error = record.get("error") or ""
    failed = [task["name"] for task in record["tasks"] if task["state"] == "FAILED"]
    if failed:
        name = next((name for name in failed if error.startswith(f"{name}: ")), failed[0])
        log = Path(record["directory"]) / "logs" / f"{name}.log"
        lines = [("task", name), *([("log", str(log))] if log.exists() else [])]
    for does, command in remedies(record, request):
        name, what = does.split(maxsplit=1)
        lines += [(name.lower(), command), ("", what)]
    return lines


def remedies(record: Mapping[str, Any], request: Request) -> Sequence[tuple[str, str]]:
    """Return what may be done about a run that did not succeed: what it does, and a command.

    A run that a gate refused is not gone on with: the gate would refuse it again.
    """
    resume = (f"Resume {_RESUME}", resume_command(record["run_id"], request))
    repeat = (f"Repeat {_REPEAT}", repeat_command(record["run_id"], request))
    return {"SUCCEEDED": [], "REFUSED": [repeat]}.get(record["state"], [resume, repeat])


_RESUME = "(goes on with this run: only what had not succeeded is executed)"
_REPEAT = "(another run: what succeeded comes from the cache; add -p key=value to change a parameter)"


def resume_command(run_id: str, request: Request) -> str:
    """Return the command that goes on with a run."""
    return shlex.join(
        [_program(), "run", "--resume", run_id, *_options(request, build=not request.is_ours)]
    )


def repeat_command(run_id: str, request: Request) -> str:
    """Return the command that repeats a run: a named pipeline as it is now, else the very package."""
    words = [_program(), "run"]
    if request.is_ours:
        words.append(str(request.pipeline))
    return shlex.join([*words, "--from", run_id, *_options(request, build=True)])


def _options(request: Request, *, build: bool) -> list[str]:
    words: list[str] = []
    for kind, paths in (("--secret", request.secrets), ("--config-map", request.config_maps)):
        for name, path in paths.items():
            words += [kind, f"{name}={path}"]
    if request.build is not None and build:
        words += ["--build", str(request.build)]
    if request.root != Request.root:
        words += ["--root", str(request.root)]
    return words


def _program() -> str:
    """Return how this command is called here."""
    called = Path(sys.argv[0])
    if called.name != "millrace":
        return "millrace"
    found = shutil.which("millrace")
    return "millrace" if found and Path(found).samefile(called) else os.path.relpath(called)

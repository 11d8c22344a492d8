"""The command that checks packages and manifests before anybody runs or applies them."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.options import AsJson, show

if TYPE_CHECKING:
    from pipelines.checks.finding import Finding

_COLOURS = {"error": typer.colors.RED, "warning": typer.colors.YELLOW, "note": typer.colors.BLUE}
_INDENT, _WIDEST = "    ", 108

Ignored = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="RULE", help="Leave a rule out; may be repeated.")
]


def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Packages, component files, manifests, folders of them; - is standard input."),
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Demand what production does: images by digest, limits, …")
    ] = False,
    ignore: Ignored = None,
    lists: Annotated[
        bool,
        typer.Option("--lists", help="Show all rules, and what is honoured and refused on one machine."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what is wrong with packages and manifests, ours or others'.

    One line per finding, `file:task.field: severity rule: what; what to do`, or wrapped on a terminal;
    findings that differ in the place alone are one. Ends with 0, with 3 when one is an error, with 2 when
    a file cannot be read. The rules are in docs/checks.md. What kustomize builds:
    `kubectl kustomize DIR | millrace check -`.
    """
    from components.common.errors import BadInputError
    from pipelines.checks.check import check_files

    if not files and not lists:
        raise BadInputError("nothing to check", fix="name files or folders, or - for standard input")
    found = check_files(files or [], production=production, ignore=ignore or ())
    if as_json:
        show([dataclasses.asdict(one) for one in found], as_json, lambda: None)
    elif files:
        _show(found)
    if lists and not as_json:
        _show_lists()
    raise typer.Exit(3 if any(one.severity == "error" for one in found) else 0)


def _show(found: list[Finding]) -> None:
    from pipelines.checks.finding import SEVERITIES, fold

    for place, one in fold(found):
        typer.echo(
            _for_people(place, one) if sys.stdout.isatty() else f"{place}: {one.judgement}: {one.advice}"
        )
    counts = Counter(one.severity for one in found)
    words = [
        f"{counts[word]} {word}{'s' if counts[word] > 1 else ''}" for word in SEVERITIES if counts[word]
    ]
    typer.echo(", ".join(words) or "nothing found")


def _for_people(place: str, one: Finding) -> str:
    """Return a finding as a terminal shows it best: its head, and what to do below, at most so wide."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    head = f"{typer.style(place, bold=True)}: {typer.style(one.judgement, fg=_COLOURS[one.severity])}"
    below = textwrap.wrap(
        one.advice, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False
    )
    return "\n".join([head, *below])


def _show_lists() -> None:
    from pipelines.checks.rules import RULES
    from pipelines.local.constructs import HONOURED, MEANINGLESS, REFUSED

    typer.echo("\nRules (severity, with --production):")
    for rule in RULES:
        typer.echo(f"  {rule.name} ({rule.severity}, {rule.production or 'not asked'}): {rule.about}")
    titles = ("Honoured on one machine", "Without meaning on one machine", "Refused on one machine")
    for title, names in zip(titles, (HONOURED, MEANINGLESS.values(), REFUSED.values()), strict=True):
        typer.echo(f"\n{title}:")
        for name in dict.fromkeys(names):
            typer.echo(f"  {name}")

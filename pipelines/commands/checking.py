"""The command that checks a package before anybody runs it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import AsJson, show


def check(
    file: Annotated[Path, typer.Argument(help="A compiled package.")],
    lists: Annotated[bool, typer.Option("--lists", help="Also show what is honoured and refused.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what of a compiled package is not executed here, or differs on a cluster.

    One line per finding, `where: rule: message: fix`. Ends with 0, or with 2 when one is an error.
    """
    from pipelines.compiling.checks import check_package
    from pipelines.local.constructs import HONOURED, MEANINGLESS, REFUSED

    found = check_package(file)
    if as_json:
        show([dataclasses.asdict(one) for one in found], as_json, lambda: None)
    for one in () if as_json else found:
        typer.echo(f"{one.severity}: {one}")
    if not found and not as_json:
        typer.echo(f"{file} can be executed here")
    if lists and not as_json:
        titles = ("Honoured", "Without meaning on one machine", "Refused by name")
        for title, names in zip(titles, (HONOURED, MEANINGLESS.values(), REFUSED.values()), strict=True):
            typer.echo(f"\n{title}:")
            for name in dict.fromkeys(names):
                typer.echo(f"  {name}")
    raise typer.Exit(2 if any(one.severity == "error" for one in found) else 0)

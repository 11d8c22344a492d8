"""Commands for those who begin: a parameter file from data, and everything at once on example data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_ROOT, Root


def init(
    sources: Annotated[list[str], typer.Argument(help="Files or uris of one table, or NAME=URI for each.")],
    label: Annotated[str, typer.Option(help="The column to be learnt.")],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; without it, the label's name with `.yaml`.")
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="SQL over the sources, where there are several.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            metavar="KEY=VALUE",
            help="How data are read, divided, checked and transformed; the file has it, too.",
        ),
    ] = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Write a commented parameter file from data: columns, search space, thresholds. It runs as it is."""
    from pipelines.first_look import init_parameters, model_name, read_source_arguments
    from pipelines.progress import Progress

    file = out or Path(f"{model_name(label)}.yaml")
    try:
        with Progress() as progress:
            init_parameters(
                read_source_arguments(sources), label, file, query=query, settings=setting or (), root=root,
                on_event=progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    typer.echo(f"{file} is written; next: millrace run training --params {file}")


def demo(
    months: Annotated[int, typer.Option(help="How many months of 2013, from January on: 2 to 12.")] = 12,
    rows: Annotated[
        int, typer.Option(help="About how many flights of each month are taken: 4000 to 30000.")
    ] = 6_000,
    root: Annotated[Path, typer.Option(help="Each demo has a folder of its own here.")] = Path("runs/demo"),
) -> None:
    """Play a year: train on January, serve, check each month, retrain when needed, refuse sabotage.

    It takes some minutes on two cores, ends its server, and leaves one page that shows it all.
    """
    import time

    from pipelines.demo.play import Demo

    folder = root / time.strftime("%Y%m%d-%H%M%S")
    play = Demo(folder.absolute(), months=months, rows=rows, say=typer.echo)
    try:
        play.play()
    except KeyboardInterrupt:
        typer.echo(f"cancelled; what was done: {folder / 'demo.html'}")
        raise typer.Exit(130) from None
    typer.echo(f"\n{folder / 'demo.html'} shows it all")

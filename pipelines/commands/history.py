"""Commands about runs that were."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_ROOT, AsJson, Root, RunId, show


def runs(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """List the runs of this machine, newest first."""
    from pipelines.local.history import list_runs
    from pipelines.tables import run_table

    records = list_runs(root)
    show(records, as_json, lambda: run_table(records))


def open_(
    run_id: Annotated[str | None, typer.Argument(help="A run; without it, the newest.")] = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Print where the page of a run is, and show it in a browser when there is one."""
    from pipelines.pages.showing import find_page, show_page

    page = find_page(root, run_id)
    typer.echo(page)
    show_page(page)


def logs(
    run_id: RunId,
    task: Annotated[str | None, typer.Argument(help="A task; without it, all of them in order.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run has ended.")] = False,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Show what the tasks of a run wrote."""
    from pipelines.local.history import find_run
    from pipelines.local.logs import follow_logs, read_logs

    read = follow_logs if follow else read_logs
    try:
        for piece in read(find_run(root, run_id), task):
            sys.stdout.write(piece)
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def compare(
    first: Annotated[str, typer.Argument(help="A run; `millrace runs` lists them.")],
    second: Annotated[str, typer.Argument(help="Another run.")],
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two runs: parameters, data, metrics, and what changed for each task."""
    from pipelines.comparison_table import comparison_table
    from pipelines.local.compare import compare_runs

    found = compare_runs(root, first, second)
    show(found.as_dict(), as_json, lambda: comparison_table(found))


def lineage(
    run_or_uri: Annotated[
        str,
        typer.Argument(
            help="A run id, an artifact's path, an endpoint's url; with --down a file or sha256."
        ),
    ],
    down: Annotated[bool, typer.Option("--down", help="Which models and endpoints came from it.")] = False,
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Show what something was made from, up to the source files and their sha256."""
    from rich.console import Group

    from pipelines.local.lineage_down import downstream
    from pipelines.local.lineage_query import upstream
    from pipelines.tables import lineage_tree

    if down:
        trees = [found.as_dict() for found in downstream(root, run_or_uri)]
        show(trees, as_json, lambda: Group(*(lineage_tree(tree, root) for tree in trees)))
        return
    tree = upstream(root, run_or_uri).as_dict()
    show(tree, as_json, lambda: lineage_tree(tree, root))


def clean(
    keep: Annotated[int | None, typer.Option(min=0, help="Newest runs of each pipeline that stay.")] = None,
    older_than: Annotated[
        str | None, typer.Option(help="Only what ended longer ago: 7d, 12h, 90m.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove; without it, only tell what would go.")
    ] = False,
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Remove old runs, by default all but the 10 newest of each pipeline.

    Never what an endpoint uses, nor models that it was compared with, nor results that a newer run took.
    """
    from pipelines.local import clean as cleaning
    from pipelines.pages.index import write_index
    from pipelines.tables import cleaning_table

    age = None if older_than is None else cleaning.parse_age(older_than)
    work = cleaning.clean if yes else cleaning.plan_cleaning
    found = work(root, keep=keep, older_seconds=age)
    if yes:
        write_index(root)
    show({**found.as_dict(), "removed": yes}, as_json, lambda: cleaning_table(found, removed=yes))

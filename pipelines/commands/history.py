"""Commands about runs that were."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from components.common.errors import BadInputError
from pipelines.commands.options import (
    DEFAULT_ROOT,
    AsJson,
    HostUrl,
    MetadataAddress,
    Namespace,
    Root,
    RunId,
    TokenFile,
    kubeflow_at,
    require_host,
    show,
)

if TYPE_CHECKING:
    from pipelines.local.lineage_reader import LineageReader
    from pipelines.remote.api import Kubeflow

_NEWEST = 50  # runs of Kubeflow that are listed unless told otherwise


def runs(
    root: Root = DEFAULT_ROOT,
    host: HostUrl = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="With --host: how many of the newest; 50 if unsaid.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the runs of this machine, newest first; with --host those on Kubeflow."""
    from pipelines.tables import run_table

    require_host(host, namespace=namespace, token_file=token_file, limit=limit)
    if host is None:
        from pipelines.local.history import list_runs

        records = list_runs(root)
    else:
        from pipelines.remote.runs import list_records

        records = list_records(kubeflow_at(host, namespace, token_file), limit or _NEWEST)
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
    host: HostUrl = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    metadata: MetadataAddress = None,
) -> None:
    """Show what the tasks of a run wrote.

    Of a run on Kubeflow (--host) while its pods are there; --metadata finds what was kept of them.
    """
    require_host(host, namespace=namespace, token_file=token_file, metadata=metadata)
    try:
        if host is None:
            pieces = _local_logs(root, run_id, task, follow=follow)
        else:
            kubeflow = kubeflow_at(host, namespace, token_file)
            pieces = _remote_logs(kubeflow, run_id, task, metadata, follow=follow)
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _local_logs(root: Path, run_id: str, task: str | None, *, follow: bool) -> Iterator[str]:
    from pipelines.local.history import find_run
    from pipelines.local.logs import follow_logs, read_logs

    return (follow_logs if follow else read_logs)(find_run(root, run_id), task)


def _remote_logs(
    kubeflow: Kubeflow, run_id: str, task: str | None, metadata: str | None, *, follow: bool
) -> Iterator[str]:
    from pipelines.remote.logs import follow_logs, read_logs
    from pipelines.remote.metadata import ServiceReader
    from pipelines.remote.runs import find_run

    run = find_run(kubeflow, run_id)
    if follow:
        return follow_logs(kubeflow, run, task)
    return read_logs(kubeflow, run, task, ServiceReader(metadata) if metadata else None)


def compare(
    first: Annotated[str, typer.Argument(help="A run; `millrace runs` lists them.")],
    second: Annotated[str, typer.Argument(help="Another run.")],
    root: Root = DEFAULT_ROOT,
    host: HostUrl = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    metadata: MetadataAddress = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two runs: parameters, data, metrics, and what changed for each task.

    Of runs on Kubeflow data, metrics and changed inputs are in ML Metadata: give --metadata beside --host.
    """
    from pipelines.comparison_table import comparison_table

    require_host(host, namespace=namespace, token_file=token_file, metadata=metadata)
    if host is None:
        from pipelines.local.compare import compare_runs

        found = compare_runs(root, first, second)
    else:
        from pipelines.remote.comparing import compare_remote
        from pipelines.remote.metadata import ServiceReader

        reader = ServiceReader(metadata) if metadata else None
        found = compare_remote(kubeflow_at(host, namespace, token_file), first, second, reader)
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
    host: HostUrl = None,
    namespace: Namespace = None,
    token_file: TokenFile = None,
    metadata: MetadataAddress = None,
    as_json: AsJson = False,
) -> None:
    """Show what something was made from, up to the source files and their sha256.

    With --metadata it is read from Kubeflow's ML Metadata. With --host alone it is what the run's package
    and KFP's API say: tasks and ports, without uris and digests.
    """
    from rich.console import Group

    from pipelines.local.lineage_down import trace_down
    from pipelines.local.lineage_query import trace_up
    from pipelines.tables import lineage_tree

    require_host(host, namespace=namespace, token_file=token_file)
    if host is not None and metadata is None:
        tree = _planned(kubeflow_at(host, namespace, token_file), run_or_uri, down=down)
        show(tree, as_json, lambda: lineage_tree(tree, root))
        return
    reader = _lineage_reader(root, metadata)
    if down:
        trees = [found.as_dict() for found in trace_down(reader, run_or_uri)]
        show(trees, as_json, lambda: Group(*(lineage_tree(tree, root) for tree in trees)))
        return
    tree = trace_up(reader, run_or_uri).as_dict()
    show(tree, as_json, lambda: lineage_tree(tree, root))


def _lineage_reader(root: Path, metadata: str | None) -> LineageReader:
    if metadata is None:
        from pipelines.local.lineage_root import RootReader

        return RootReader(root)
    from pipelines.remote.metadata import ServiceReader

    return ServiceReader(metadata)


def _planned(kubeflow: Kubeflow, run_id: str, *, down: bool) -> dict[str, Any]:
    from pipelines.remote.planned import trace_planned
    from pipelines.remote.runs import find_run

    if down:
        fix = "give --metadata HOST:PORT beside --host"
        raise BadInputError("only ML Metadata knows what came of something", where="option --down", fix=fix)
    return trace_planned(find_run(kubeflow, run_id)).as_dict()


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

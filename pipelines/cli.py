"""The command `millrace`: thin over the packages that do the work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from components.common.errors import ComponentError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="""Takes raw tables to a model that serves: on this machine, or on Kubeflow.

    A first run: [bold]millrace data flights --out data/flights[/], then
    [bold]millrace run training --params pipelines/parameters/flights.yaml[/].
    Your own table: [bold]millrace run training -p sources=my.csv -p label=price[/].""",
)
data_app = typer.Typer(no_args_is_help=True, help="Write data sets to try things on.")
app.add_typer(data_app, name="data")

Root = Annotated[Path, typer.Option(help="Folder of runs, cache, lineage and serving state.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]
ParamsFile = Annotated[Path | None, typer.Option("--params", help="YAML file of parameters.")]
BuildFile = Annotated[Path | None, typer.Option("--build", help="YAML file of build options.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="KEY=VALUE", help="A parameter; `-p deploy.target=none` reaches inside."),
]

_NO_EDGE = 500  # columns: a path that is cut cannot be copied; the terminal wraps what is longer than it


@app.command()
def run(
    pipeline: Annotated[str, typer.Argument(help="Name of a pipeline: training.")],
    params: ParamsFile = None,
    build: BuildFile = None,
    setting: Settings = None,
    root: Root = Path("runs"),
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Reuse results of equal tasks.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline on this machine, show its progress, and end with where the model answers.

    Ends with 0, or with 3 when a gate refused, 130 when cancelled, 2 for a mistake in the input, 4 when
    something outside did not answer, 1 for a bug.
    """
    from pipelines.execution import execute

    raise typer.Exit(
        execute(pipeline, params, build, setting or [], root=root, use_cache=cache, as_json=as_json)
    )


@app.command(name="compile")
def compile_(
    pipeline: Annotated[str, typer.Argument(help="Name of a pipeline: training.")],
    out: Annotated[Path, typer.Option(help="Folder to write `<pipeline>.yaml` into.")],
    build: BuildFile = None,
) -> None:
    """Compile a pipeline into the package that KFP takes, by the dashboard or by its SDK."""
    from pipelines.build import Build, read_build
    from pipelines.compiling.package import compile_pipeline

    typer.echo(compile_pipeline(pipeline, read_build(build) if build else Build(), out))


@app.command()
def runs(root: Root = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs of this machine, newest first."""
    from pipelines.local.lineage_query import list_runs
    from pipelines.tables import run_table

    records = list_runs(root)
    _show(records, as_json, lambda: run_table(records))


@app.command()
def lineage(
    run_or_uri: Annotated[str, typer.Argument(help="A run id, or the path of an artifact.")],
    root: Root = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show what something was made from, up to the source files and their sha256."""
    from pipelines.local.lineage_query import upstream
    from pipelines.tables import lineage_tree

    found = upstream(root, run_or_uri)
    _show(found.as_dict(), as_json, lambda: lineage_tree(found.as_dict(), root))


@app.command()
def endpoints(root: Root = Path("runs"), as_json: AsJson = False) -> None:
    """List the models that answer now."""
    from pipelines.local.serving.client import find_supervisor
    from pipelines.tables import endpoint_table

    supervisor = find_supervisor(root)
    found = supervisor.endpoints() if supervisor else []
    _show(found, as_json, lambda: endpoint_table(found))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port of all models; the next free one if it is taken.")] = 8080,
    root: Root = Path("runs"),
) -> None:
    """Serve the models of a root in the foreground until Ctrl-C."""
    from pipelines.local.serving.supervisor import serve as serve_models

    serve_models(root, port, announce=typer.echo)


@app.command()
def stop(
    name: Annotated[str | None, typer.Argument(help="A model; without it, all of them.")] = None,
    root: Root = Path("runs"),
) -> None:
    """Stop a model, or everything that `run` or `serve` started."""
    from pipelines.local.serving.client import find_supervisor

    supervisor = find_supervisor(root)
    if supervisor is None:
        typer.echo("nothing is being served")
        return
    supervisor.stop(name)
    typer.echo(f"stopped {name}" if name else "stopped all models and the supervisor")


@data_app.command()
def flights(
    out: Annotated[str, typer.Option(help="A folder, or s3://bucket/prefix.")],
) -> None:
    """Write the flights of 2013 from New York: a CSV a month, and weather, planes, airlines, airports."""
    from pipelines.datasets.flights import write_flights

    written = write_flights(out)
    typer.echo(f"{len(written)} files in {out}")


def main() -> None:
    """Run the command; an error made on purpose is one line on standard error and an exit code."""
    try:
        app()
    except ComponentError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from error


def _show(content: Any, as_json: bool, render: Any) -> None:
    if as_json:
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    Console(highlight=False, width=_NO_EDGE).print(render())


if __name__ == "__main__":
    main()

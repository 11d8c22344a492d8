"""The command `millrace`: what it is called by, over the commands of `pipelines.commands`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from components.common.errors import ComponentError
from pipelines.commands import (
    checking,
    compiling,
    history,
    releasing,
    running,
    serving,
    starting,
    submitting,
)

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

app.command()(starting.init)
app.command()(starting.demo)
app.command()(running.run)
app.command(name="compile")(compiling.compile_)
app.command()(checking.check)
app.command()(submitting.submit)
app.command()(submitting.cancel)
app.command(name="open")(history.open_)
_PLAIN = (
    history.runs, history.logs, history.compare, history.lineage, history.clean,
    serving.endpoints, serving.serve, serving.predict, serving.stop,
    releasing.release, releasing.promote, releasing.rollback, releasing.ab,
)  # fmt: skip
for _command in _PLAIN:
    app.command()(_command)


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


if __name__ == "__main__":
    main()

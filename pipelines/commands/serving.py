"""Commands about the models that answer."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_ROOT, AsJson, Root, show


def endpoints(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """List the models that answer now."""
    from pipelines.local.serving.client import find_supervisor
    from pipelines.tables import endpoint_table

    supervisor = find_supervisor(root)
    found = supervisor.endpoints() if supervisor else []
    show(found, as_json, lambda: endpoint_table(found))


def serve(
    port: Annotated[int, typer.Option(help="Port of all models; the next free one if it is taken.")] = 8080,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Serve the models of a root in the foreground until Ctrl-C."""
    from pipelines.local.serving.supervisor import serve as serve_models

    serve_models(root, port, announce=typer.echo)


def stop(
    name: Annotated[str | None, typer.Argument(help="A model; without it, all of them.")] = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Stop a model, or everything that `run` or `serve` started."""
    from pipelines.local.serving.client import find_supervisor

    supervisor = find_supervisor(root)
    if supervisor is None:
        typer.echo("nothing is being served")
        return
    supervisor.stop(name)
    typer.echo(f"stopped {name}" if name else "stopped all models and the supervisor")

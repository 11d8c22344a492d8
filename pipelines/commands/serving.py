"""Commands about the models that answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from components.common.errors import UnavailableError
from pipelines.commands.options import DEFAULT_ROOT, AsJson, Root, show

if TYPE_CHECKING:
    from pipelines.local.serving.client import Supervisor


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


def rollback(
    name: Annotated[str, typer.Argument(help="A model; `millrace endpoints` lists them.")],
    to: Annotated[str | None, typer.Option(help="Which revision; without it, the one before.")] = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Release again the model that a name served before: proved first, and undone if it fails."""
    import os
    import tempfile
    from types import SimpleNamespace

    from components.deployment.component import roll_back

    supervisor = _running(root)
    os.environ["MILLRACE_SUPERVISOR"] = str(supervisor.file)
    with tempfile.TemporaryDirectory() as scratch:
        endpoint = SimpleNamespace(path=str(Path(scratch) / "endpoint"), metadata={})
        door: Any = roll_back
        door.python_func(name, endpoint, revision=to)


def predict(
    name: Annotated[str, typer.Argument(help="A model; `millrace endpoints` lists them.")],
    file: Annotated[Path, typer.Argument(help="Rows: a .csv or .parquet file.")],
    out: Annotated[Path, typer.Option(help="What to write: a .csv or .parquet file.")],
    root: Root = DEFAULT_ROOT,
) -> None:
    """Predict every row of a file by the model that answers; bad rows are named by their line."""
    from pipelines.local.serving.predict import predict_file

    rows = predict_file(_running(root).url, name, file, out)
    typer.echo(f"{rows} rows predicted: {out}")


def _running(root: Path) -> Supervisor:
    from pipelines.local.serving.client import find_supervisor

    supervisor = find_supervisor(root)
    if supervisor is None:
        fix = "`millrace serve` starts what served before"
        raise UnavailableError("nothing is being served", where=root, fix=fix)
    return supervisor


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

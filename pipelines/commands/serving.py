"""Commands about the models that answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_ROOT, AsJson, Knobs, Root, Target, read_knobs, show


def endpoints(
    target: Target = "local", knob: Knobs = None, root: Root = DEFAULT_ROOT, as_json: AsJson = False
) -> None:
    """List the models that answer now, and how requests are shared."""
    from components.common.config import build_config
    from components.deployment.config import DeployConfig
    from components.deployment.endpoints import list_endpoints
    from pipelines.local.serving.client import find_supervisor
    from pipelines.tables import endpoint_table

    options = read_knobs(target, knob)
    supervisor = find_supervisor(root) if target == "local" else None
    if target == "local":
        found = supervisor.endpoints() if supervisor else []
    else:
        found = list_endpoints(build_config(DeployConfig, options, where="deploy"))
    show(found, as_json, lambda: endpoint_table(found))


def serve(
    port: Annotated[int, typer.Option(help="Port of all models; the next free one if it is taken.")] = 8080,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Serve the models of a root in the foreground until Ctrl-C."""
    from pipelines.local.serving.supervisor import serve as serve_models

    serve_models(root, port, announce=typer.echo)


def predict(
    name: Annotated[str, typer.Argument(help="A model that answers, or the folder of a complete one.")],
    file: Annotated[Path, typer.Argument(help="Rows: a .csv or .parquet file.")],
    out: Annotated[Path, typer.Option(help="What to write: a .csv or .parquet file.")],
    root: Root = DEFAULT_ROOT,
) -> None:
    """Predict every row of a file by the model that answers, or here by a folder; bad rows are named."""
    from pipelines.local.serving.client import running_supervisor
    from pipelines.local.serving.predict import predict_by_model, predict_file

    if Path(name).is_dir():
        rows = predict_by_model(Path(name), file, out)
    else:
        rows = predict_file(running_supervisor(root).url, name, file, out)
    typer.echo(f"{rows} rows predicted: {out}")


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

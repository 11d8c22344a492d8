"""Commands that run pipelines on Kubeflow."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.options import AsJson, BuildFile, ImagesFile, Namespace, TokenFile, kubeflow_at
from pipelines.commands.running import ParamsFile, Settings

Url = Annotated[str, typer.Option("--host", metavar="URL", help="Kubeflow's dashboard, or its API server.")]


def submit(
    pipeline: Annotated[str, typer.Argument(help="Name of a pipeline, or a package (FILE.yaml).")],
    host: Url,
    namespace: Namespace = None,
    experiment: Annotated[
        str | None, typer.Option(help="An experiment, made if need be; without it, the pipeline's name.")
    ] = None,
    params: ParamsFile = None,
    build: BuildFile = None,
    images: ImagesFile = None,
    setting: Settings = None,
    token_file: TokenFile = None,
    service_account: Annotated[str | None, typer.Option(help="Account of the run's pods.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch the run, and end as it ends.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline on Kubeflow: check it here, upload it unless it is there, begin a run.

    Prints the run's id. With --wait it ends as `millrace run` does: 0, or 3 when a gate refused, 130 when
    cancelled, 2 for a mistake in the input, 4 when something outside did not answer, 1 for a bug. Ctrl-C
    leaves the run alone.
    """
    from pipelines.remote.host import Host
    from pipelines.remote.submission import Submission
    from pipelines.remote.telling import execute
    from pipelines.request import Request

    request = Request(pipeline=pipeline, params=params, build=build, settings=setting or [])
    submission = Submission(
        request=request, images=images, experiment=experiment, service_account=service_account
    )
    where = Host(url=host, namespace=namespace, token_file=token_file)
    raise typer.Exit(execute(submission, where, wait=wait, as_json=as_json))


def cancel(
    run_id: Annotated[str, typer.Argument(help="A run; `millrace runs --host URL` lists them.")],
    host: Url,
    namespace: Namespace = None,
    token_file: TokenFile = None,
) -> None:
    """End a run on Kubeflow that is under way; one that has ended stays as it is."""
    from pipelines.remote.runs import find_run

    kubeflow = kubeflow_at(host, namespace, token_file)
    run = find_run(kubeflow, run_id)
    if run.has_ended:
        typer.echo(f"{run_id} has ended: {run.state.lower()}")
        return
    kubeflow.ask(f"end run {run_id}", kubeflow.client.runs.run_service_terminate_run, run_id)
    typer.echo(f"{run_id} is told to end")

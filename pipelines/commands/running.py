"""The command that runs pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_ROOT, AsJson, BuildFile, Root, named_paths

ParamsFile = Annotated[Path | None, typer.Option("--params", help="YAML file of parameters.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="KEY=VALUE", help="A parameter; `-p deploy.target=none` reaches inside."),
]
Pipeline = Annotated[
    str | None,
    typer.Argument(help="Name of a pipeline (training, screening, release, …), or a package (FILE.yaml)."),
]
Earlier = Annotated[
    str | None,
    typer.Option("--from", metavar="RUN_ID", help="Take the parameters of a run; alone, its package too."),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with a run that was killed, cancelled or failed: RUN_ID, or the newest."
    ),
]

Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret", metavar="NAME=PATH", help="A secret: a folder, a YAML file or lines KEY=VALUE."
    ),
]
ConfigMaps = Annotated[
    list[str] | None,
    typer.Option("--config-map", metavar="NAME=PATH", help="A config map, in the same forms."),
]


def run(
    pipeline: Pipeline = None,
    params: ParamsFile = None,
    build: BuildFile = None,
    setting: Settings = None,
    earlier: Earlier = None,
    resume: Resume = False,
    secret: Secrets = None,
    config_map: ConfigMaps = None,
    root: Root = DEFAULT_ROOT,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Reuse results of equal tasks.")] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="Fork no task from a warm process.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline on this machine, show its progress, and end with where the model answers.

    Ends with 0, or with 3 when a gate refused, 130 when cancelled, 2 for a mistake in the input, 4 when
    something outside did not answer, 1 for a bug.
    """
    from pipelines.execution import Request, execute

    named, unfinished = (None, pipeline or True) if resume else (pipeline, False)
    request = Request(
        pipeline=named, resume=unfinished, params=params, build=build, settings=setting or [],
        earlier=earlier, secrets=named_paths(secret, "--secret"),
        config_maps=named_paths(config_map, "--config-map"), root=root, use_cache=cache, fresh=fresh,
    )  # fmt: skip
    raise typer.Exit(execute(request, as_json=as_json))

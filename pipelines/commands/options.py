"""Options that several commands take, and how all of them print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from components.common.errors import BadInputError

if TYPE_CHECKING:
    from pipelines.remote.api import Kubeflow

DEFAULT_ROOT = Path("runs")

Root = Annotated[Path, typer.Option(help="Folder of runs, cache, lineage and serving state.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]
BuildFile = Annotated[Path | None, typer.Option("--build", help="YAML file of build options.")]
ImagesFile = Annotated[
    Path | None,
    typer.Option("--images", help="Image map, as docker/images.lock; it wins over the build file."),
]
HostUrl = Annotated[
    str | None, typer.Option("--host", metavar="URL", help="Kubeflow, instead of this machine's runs.")
]
Namespace = Annotated[str | None, typer.Option(help="Your namespace, where Kubeflow has several users.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help="File that holds a bearer token; read for each request.")
]
MetadataAddress = Annotated[
    str | None, typer.Option("--metadata", metavar="HOST:PORT", help="KFP's metadata-grpc-service.")
]
Target = Annotated[str, typer.Option(help="Where: local, kserve or manifest.")]
Knobs = Annotated[
    list[str] | None,
    typer.Option(
        "-p", metavar="KEY=VALUE", help="How: the keys of `deploy`, such as `-p steps=[5,50,100]`."
    ),
]
RunId = Annotated[str, typer.Argument(help="A run; `millrace runs` lists them.")]

_NO_EDGE = 500  # columns: a path that is cut cannot be copied; the terminal wraps what is longer than it


def kubeflow_at(url: str, namespace: str | None, token_file: Path | None) -> Kubeflow:
    """Connect to Kubeflow as the options say.

    Raises:
        BadInputError: An option is wrong, or Kubeflow wants to know who asks.
        UnavailableError: It does not answer.
    """
    from pipelines.remote.api import Kubeflow
    from pipelines.remote.host import Host

    return Kubeflow(Host(url=url, namespace=namespace, token_file=token_file))


def read_knobs(target: str, knobs: list[str] | None) -> dict[str, Any]:
    """Return the options of a target, as the parameter `deploy` has them.

    Raises:
        BadInputError: A knob has no `=` or no valid YAML.
    """
    from pipelines.parameter_values import gather_parameters

    settings, given = [f"deploy.{knob}" for knob in knobs or ()], {"deploy": {"target": target}}
    return gather_parameters(None, settings, {"deploy": "STRUCT"}, given=given, paths=False)["deploy"]


def require_host(host: str | None, **given: object) -> None:
    """Refuse options that only Kubeflow has a use for, where no host is given.

    Args:
        host: What `--host` says.
        given: What such options say, by their names; None is unset.

    Raises:
        BadInputError: One is set, and would be ignored.
    """
    for name, value in given.items():
        if host is None and value is not None:
            option = f"option --{name.replace('_', '-')}"
            raise BadInputError("says nothing without --host", where=option, fix="give --host URL, too")


def named_paths(values: list[str] | None, option: str) -> dict[str, Path]:
    """Read `NAME=PATH` as often as an option was given.

    Raises:
        BadInputError: A value has another form, or a name comes twice.
    """
    found: dict[str, Path] = {}
    for value in values or ():
        name, equals, path = value.partition("=")
        formed = name and equals and path
        if not formed or name in found:
            what = f"`{name}` is given twice" if formed else "must have the form NAME=PATH"
            raise BadInputError(what, where=f"option {option}", value=value)
        found[name] = Path(path)
    return found


def show(content: Any, as_json: bool, render: Callable[[], Any]) -> None:
    """Print something as JSON, or as a table or tree for people."""
    if as_json:
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return
    from rich.console import Console

    Console(highlight=False, width=_NO_EDGE).print(render())

"""Commands that change what answers: release, promote, roll back; and what an A/B test showed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer

from components.common.artifacts import MANIFEST
from components.common.errors import BadInputError, UnavailableError
from pipelines.commands.options import DEFAULT_ROOT, AsJson, Knobs, Root, Target, read_knobs, show

Name = Annotated[str, typer.Argument(help="A model; `millrace endpoints` lists them.")]


def release(
    model_uri: Annotated[str, typer.Argument(help="A complete model: a folder, or s3://bucket/prefix.")],
    name: Annotated[str, typer.Option(help="Name to serve under.")] = "model",
    target: Target = "local",
    knob: Knobs = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for `endpoint.json`, and the manifest of `manifest`.")
    ] = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Release a model: proved, given requests step by step, judged at each, undone if it is worse."""
    from components.deployment.component import deploy_model
    from pipelines.local.serving.state import StateFolder

    is_file = read_knobs(target, knob)["target"] == "manifest"
    if is_file and out is None:
        raise BadInputError(
            "the manifest is to be kept", where="option --out", fix="give --out FOLDER, too"
        )
    kept_in = StateFolder.of(root).models if target == "local" else None
    with _model_at(model_uri, kept_in) as model, _endpoint_in(out) as endpoint:
        options = _options(target, knob, root, start=True)
        _ask(deploy_model, evaluated_model=model, model_name=name, endpoint=endpoint, options=options)
    if is_file and out is not None:
        typer.echo(out / MANIFEST)


def promote(name: Name, target: Target = "local", knob: Knobs = None, root: Root = DEFAULT_ROOT) -> None:
    """Give all requests to the revision that has a share of them: proved, and not judged."""
    from components.deployment.component import promote as promote_model

    with _endpoint_in(None) as endpoint:
        _ask(promote_model, model_name=name, endpoint=endpoint, options=_options(target, knob, root))


def rollback(
    name: Name,
    to: Annotated[str | None, typer.Option(help="Which revision; without it, the one before.")] = None,
    target: Target = "local",
    knob: Knobs = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """End a release that is half done, or release again the model that a name served before."""
    from components.deployment.component import roll_back

    with _endpoint_in(None) as endpoint:
        options = _options(target, knob, root)
        _ask(roll_back, model_name=name, endpoint=endpoint, revision=to, options=options)


def ab(
    name: Name,
    outcomes: Annotated[Path, typer.Option(help="A .csv or .parquet file, a row for each outcome.")],
    key: Annotated[str, typer.Option(help="Column of users: the header or input that decided.")] = "key",
    outcome: Annotated[str, typer.Option(help="Column of outcomes: numbers.")] = "outcome",
    level: Annotated[float, typer.Option(help="Of the interval.", min=0.5, max=0.9999)] = 0.95,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="A small outcome is good.")
    ] = False,
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Tell what an A/B test shows: the difference of new and old, its interval, and a verdict."""
    from pipelines.local.serving.assign import assign
    from pipelines.local.serving.experiment import judge_outcomes
    from pipelines.local.serving.outcomes import read_outcomes
    from pipelines.tables import experiment_table

    weights = _split(name, root)
    new, old = weights
    groups = read_outcomes(outcomes, lambda user: assign(user, name, weights), key=key, outcome=outcome)
    if others := sorted(groups.keys() - weights.keys()):
        fix = f"the split is of {new} and {old}"
        raise BadInputError("a revision that has no share", where=outcomes, value=others[0], fix=fix)
    found = judge_outcomes(
        groups.get(new, {}), groups.get(old, {}), share=weights[new], level=level,
        lower_is_better=lower_is_better,
    )  # fmt: skip
    content = {"new": new, "old": old, **asdict(found)}
    show(content, as_json, lambda: experiment_table(content))


def _split(name: str, root: Path) -> dict[str, int]:
    """Return the shares of an A/B test, the new revision first."""
    from pipelines.local.serving.client import running_supervisor

    endpoints = {one["name"]: one for one in running_supervisor(root).endpoints()}
    if name not in endpoints:
        raise BadInputError("no such endpoint", value=name, fix="`millrace endpoints` lists them")
    weights, sticky = endpoints[name]["weights"], endpoints[name]["sticky"]
    if len(weights) != 2 or not sticky:
        fix = "release with `-p strategy=ab -p sticky=HEADER` (or `input:NAME`)"
        raise BadInputError("no A/B test is under way", where=name, value=weights, fix=fix)
    return weights


def _options(target: str, knobs: list[str] | None, root: Path, *, start: bool = False) -> dict[str, Any]:
    """Return the options of a door; the supervisor of `local` is named in the environment."""
    from pipelines.local.serving.client import running_supervisor, start_detached

    options = read_knobs(target, knobs)
    if target == "local":
        supervisor = start_detached(root) if start else running_supervisor(root)
        os.environ["MILLRACE_SUPERVISOR"] = str(supervisor.file)
    return options


@contextmanager
def _model_at(uri: str, kept_in: Path | None) -> Generator[SimpleNamespace]:
    """Yield what KFP gives a door of a model; one in a store is fetched, and kept if a folder is given."""
    local = uri.removeprefix("file://")
    if "://" not in local:
        yield SimpleNamespace(path=local, uri=local, metadata={})
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        _fetch(uri, folder)
        if kept_in is not None:
            folder = _keep(folder, kept_in)
        yield SimpleNamespace(path=str(folder), uri=uri, metadata={})


def _fetch(uri: str, folder: Path) -> None:
    import fsspec

    try:
        files, path = fsspec.url_to_fs(uri)
        files.get(path.rstrip("/") + "/", str(folder), recursive=True)
    except (OSError, ValueError, ImportError) as error:
        raise UnavailableError("the model cannot be fetched", where=uri, value=str(error)) from error


def _keep(folder: Path, kept_in: Path) -> Path:
    """Copy a model to where its servers find it whenever they are started; returns that."""
    from components.common.seal import verify_model
    from components.common.storage import publishing

    kept = kept_in / verify_model(folder)
    if not kept.exists():
        with publishing(kept) as draft:
            shutil.copytree(folder, draft)
    return kept


@contextmanager
def _endpoint_in(folder: Path | None) -> Generator[SimpleNamespace]:
    """Yield what KFP gives a door of an endpoint; without a folder it is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        path = str(folder or Path(scratch) / "endpoint")
        yield SimpleNamespace(path=path, uri=path, metadata={})


def _ask(door: Any, *, model_name: str, endpoint: SimpleNamespace, **given: Any) -> None:
    door.python_func(model_name=model_name, endpoint=endpoint, **given)
    if url := endpoint.metadata.get("url"):
        typer.echo(f"{model_name} answers at {url}")

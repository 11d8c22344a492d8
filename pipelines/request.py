"""What somebody wants to be run, made ready: a package, its parameters, environments and variables."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.common.config import require_known
from components.common.errors import BadInputError, ComponentError
from pipelines.build import Build, read_build
from pipelines.compiling.package import PIPELINES, compile_pipeline
from pipelines.local.history import Run, find_run
from pipelines.local.plan import Plan
from pipelines.local.reading import read_package
from pipelines.local.resume import Unfinished, find_unfinished, take_up
from pipelines.local.runner import resolve_parameters
from pipelines.local.secrets.given import find_given
from pipelines.local.serving.client import find_supervisor, start_detached
from pipelines.local.walks import container_tasks
from pipelines.parameter_values import gather_parameters
from pipelines.room_parameters import check_room_parameters

_PACKAGES = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `millrace run` is told.

    Attributes:
        pipeline: Name of one of our pipelines, or path of a compiled package; None for the package of the
            run `earlier`.
        params: Parameter file, or None.
        build: Build file, or None for the defaults. Of a compiled package it names the environments.
        settings: `key=value` of the command line; they win over all else.
        parameters: Values by name; they win over the file.
        earlier: Id of a run whose parameters are taken first, or None.
        resume: Id of a run to go on with, or True for the newest that can be; it has its package and its
            parameters.
        secrets: File or folder of each secret, by name.
        config_maps: The same of config maps.
        root: Folder of runs.
        use_cache: Reuse results of equal tasks.
        fresh: Start every task as a process of its own.
    """

    pipeline: str | None = None
    params: Path | None = None
    build: Path | None = None
    settings: Sequence[str] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    earlier: str | None = None
    resume: str | bool = False
    secrets: Mapping[str, Path] = field(default_factory=dict[str, Path])
    config_maps: Mapping[str, Path] = field(default_factory=dict[str, Path])
    root: Path = Path("runs")
    use_cache: bool = True
    fresh: bool = False

    @property
    def is_ours(self) -> bool:
        """The pipeline is named, and so compiled anew."""
        return self.pipeline is not None and not self.pipeline.endswith(_PACKAGES)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the runner takes.

    Attributes:
        package: The compiled package.
        parameters: Checked values; defaults are not filled in.
        images: Virtual environments for images other than ours.
        variables: For all tasks.
        unfinished: The run to go on with, or None for a new one.
    """

    package: Path
    parameters: dict[str, Any]
    images: dict[str, Path]
    variables: dict[str, str]
    unfinished: Unfinished | None = None


@contextmanager
def prepared(request: Request) -> Generator[Prepared]:
    """Make a request ready; a supervisor is started when the run will deploy here.

    Raises:
        BadInputError: Something in it is wrong. Nothing was started then.
    """
    if request.resume:
        with _taken_up(request) as ready:
            yield ready
        return
    earlier = find_run(request.root, request.earlier) if request.earlier else None
    options = read_build(request.build) if request.build else Build()
    with TemporaryDirectory() as scratch:
        package = _package(request, options, earlier, Path(scratch))
        plan = read_package(package)
        images = {} if request.is_ours else _environments(plan, options)
        values = _values(request, earlier, plan)
        arguments = resolve_parameters(plan, values)
        if plan.pipeline in PIPELINES:
            check_room_parameters(arguments)
        find_given(container_tasks(plan.graph), request.secrets, request.config_maps)
        with _supervised(plan, values, request.root) as variables:
            yield Prepared(package=package, parameters=values, images=images, variables=variables)


def run_to_resume(request: Request) -> Run:
    """Find the run that a request is to go on with, or that has succeeded already.

    Raises:
        BadInputError: There is none, its record cannot be read, or the request would change it.
    """
    if request.pipeline or request.earlier or request.params or request.settings or request.parameters:
        fix = "leave the others out, or repeat the run with changes: `millrace run --from RUN_ID -p …`"
        what = "a run goes on with its own package and parameters"
        raise BadInputError(what, where="option --resume", fix=fix)
    return find_unfinished(request.root, request.resume if isinstance(request.resume, str) else None)


@contextmanager
def _taken_up(request: Request) -> Generator[Prepared]:
    options = read_build(request.build) if request.build else Build()
    with closing(take_up(run_to_resume(request))) as unfinished:
        plan, values = read_package(unfinished.package), dict(unfinished.record.parameters)
        images = _environments(plan, options) if options.images else {}
        find_given(container_tasks(plan.graph), request.secrets, request.config_maps)
        with _supervised(plan, values, request.root) as variables:
            yield Prepared(
                package=unfinished.package, parameters=values, images=images, variables=variables,
                unfinished=unfinished,
            )  # fmt: skip


def _package(request: Request, options: Build, earlier: Run | None, scratch: Path) -> Path:
    name = request.pipeline
    if name is None:
        if earlier is None:
            fix = f"name one ({', '.join(PIPELINES)}), a compiled package, or a run: --from RUN_ID"
            raise BadInputError("nothing to run", fix=fix)
        return earlier.folder / "package.yaml"
    if request.is_ours:
        # images are named for a registry only when a package leaves this machine
        return compile_pipeline(name, replace(options, images={}), scratch)
    if not Path(name).is_file():
        raise BadInputError("package is missing", where=name, fix="`kfp.compiler` writes it")
    return Path(name)


def _environments(plan: Plan, options: Build) -> dict[str, Path]:
    """Take the environments of a compiled package from build options; all else in them is fixed in it."""
    for option in fields(Build):
        if option.name != "images" and getattr(options, option.name) != getattr(Build(), option.name):
            fix = "compile it with this option"
            raise BadInputError("is fixed in a package", where=f"build option `{option.name}`", fix=fix)
    named = {container.image for _, container in container_tasks(plan.graph)}
    require_known(options.images, named, where="build option `images`")
    found = {image: Path(folder) for image, folder in options.images.items()}
    for image, folder in found.items():
        if not (folder / "bin" / "python3").exists():
            where, fix = f"build option `images`, `{image}`", "name the folder of a virtual environment"
            raise BadInputError("no virtual environment", where=where, value=str(folder), fix=fix)
    return found


def _values(request: Request, earlier: Run | None, plan: Plan) -> dict[str, Any]:
    types = {name: spec.type for name, spec in plan.inputs.items()}
    return gather_parameters(
        request.params, request.settings, types, paths=plan.pipeline in PIPELINES,
        earlier=earlier.record.get("parameters", {}) if earlier else {}, given=request.parameters,
    )  # fmt: skip


@contextmanager
def _supervised(plan: Plan, values: Mapping[str, Any], root: Path) -> Generator[dict[str, str]]:
    """Name a supervisor to the tasks when a pipeline of ours will deploy here, and start one if need be.

    One that was started here and serves nothing in the end, because the run failed, is stopped again.
    """
    deploy = values.get("deploy") or {}
    if plan.pipeline not in PIPELINES or deploy.get("target", "local") != "local":
        yield {}
        return
    found = find_supervisor(root)
    supervisor = found or start_detached(root)
    try:
        yield {"MILLRACE_SUPERVISOR": str(supervisor.file)}
    finally:
        with suppress(ComponentError):  # how the run ended matters more
            if found is None and not supervisor.endpoints():
                supervisor.stop()

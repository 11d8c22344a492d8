"""A pipeline brought to Kubeflow: a version named by its content, and a run of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.common.errors import BadInputError, UnavailableError
from components.common.images import is_in_registry
from pipelines.compiling.image_map import read_mapped_build
from pipelines.compiling.package import PIPELINES, compile_pipeline, version_name
from pipelines.local.documents import read_documents
from pipelines.local.reading import inspect_package
from pipelines.local.runner import resolve_parameters
from pipelines.local.walks import container_tasks
from pipelines.parameter_values import gather_parameters
from pipelines.remote.answers import RejectedError
from pipelines.remote.api import Kubeflow
from pipelines.remote.runs import Package
from pipelines.request import Request
from pipelines.room_parameters import check_room_parameters
from pipelines.wide_rounds import wide_rounds


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What `millrace submit` is told, beside where Kubeflow is.

    Attributes:
        request: Pipeline, parameters and build options, as of a run on this machine.
        images: Image map; it wins over the build file's images. None for those alone.
        experiment: Name of the experiment; None for the pipeline's own.
        service_account: Account of the run's pods; None for Kubeflow's default.
    """

    request: Request
    images: Path | None = None
    experiment: str | None = None
    service_account: str | None = None


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A submission that was checked on this machine.

    Attributes:
        text: The package.
        package: The same, read.
        pipeline: Its name.
        description: Its description.
        version: Name of its version, which changes with each byte of it.
        parameters: What was given, in the types of the package.
    """

    text: str
    package: Package
    pipeline: str
    description: str | None
    version: str
    parameters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A run that Kubeflow has taken.

    Attributes:
        run_id: Its id.
        version: Name of the pipeline's version.
        version_is_new: It was not there before.
        experiment: Name of the experiment.
    """

    run_id: str
    version: str
    version_is_new: bool
    experiment: str


def make_ready(submission: Submission) -> Ready:
    """Compile a pipeline and check its parameters, as for a run on this machine; nothing is sent.

    Raises:
        BadInputError: Something in it is wrong.
    """
    request = submission.request
    with TemporaryDirectory() as scratch:
        file = _package(request, submission.images, Path(scratch))
        text = file.read_text(encoding="utf-8")
        plan, _ = inspect_package(file)  # what only this machine does not execute is no obstacle
    package = Package(documents=read_documents(text.encode()), plan=plan)
    types = {name: spec.type for name, spec in plan.inputs.items()}
    ours = plan.pipeline in PIPELINES
    values = gather_parameters(
        request.params, request.settings, types, given=request.parameters, paths=ours, on_cluster=True
    )
    checked = resolve_parameters(plan, values)
    if ours:
        check_room_parameters(checked, on_cluster=True)
    for wide in wide_rounds(plan, checked):
        raise BadInputError(wide.what, where="parameter `trials`", value=wide.trials, fix=wide.fix)
    for task, container in container_tasks(plan.graph):
        _check_image(task.label, container.image)
    given = {name: value for name, value in checked.items() if values.get(name) is not None}
    return Ready(
        text=text, package=package, pipeline=plan.pipeline, version=version_name(plan.pipeline, text),
        description=package.documents[0]["pipelineInfo"].get("description"), parameters=given,
    )  # fmt: skip


def _package(request: Request, images: Path | None, scratch: Path) -> Path:
    if request.is_ours:
        return compile_pipeline(str(request.pipeline), read_mapped_build(request.build, images), scratch)
    if request.build is not None or images is not None:
        where, fix = "options --build and --images", "compile it with them"
        raise BadInputError("is fixed in a package", where=where, fix=fix)
    file = Path(str(request.pipeline))
    if not file.is_file():
        raise BadInputError("package is missing", where=file, fix="`millrace compile` writes it")
    return file


def _check_image(task: str, reference: str) -> None:
    """Refuse an image of no registry: its pods would wait for ever, and the API would not say so."""
    if not is_in_registry(reference):
        fix = "name the images: --images docker/images.lock, which `make push` writes, or in the build file"
        what = "the image has no registry"
        raise BadInputError(what, where=f"task `{task}`", value=reference, fix=fix)


def submit(kubeflow: Kubeflow, ready: Ready, submission: Submission) -> Submitted:
    """Bring a version of a pipeline to Kubeflow, unless it is there, and begin a run of it.

    Raises:
        BadInputError: Kubeflow refused.
        UnavailableError: It did not answer.
    """
    pipeline = _pipeline(kubeflow, ready)
    version = _find_version(kubeflow, pipeline, ready.version)
    is_new = version is None
    version = version or _upload(kubeflow, pipeline, ready)
    experiment = submission.experiment or ready.pipeline
    run = _begin(kubeflow, ready, _experiment(kubeflow, experiment), pipeline, version, submission)
    return Submitted(run_id=run, version=ready.version, version_is_new=is_new, experiment=experiment)


def _pipeline(kubeflow: Kubeflow, ready: Ready) -> str:
    """Return the id of the pipeline, made if need be; uploaded whole, its first version had its name."""
    from kfp_server_api import V2beta1Pipeline

    api, name = kubeflow.client.pipelines, ready.pipeline

    def find() -> str:
        read = api.pipeline_service_get_pipeline_by_name
        return kubeflow.ask(f"find pipeline `{name}`", read, name, namespace=kubeflow.namespace).pipeline_id

    try:
        return find()
    except RejectedError as error:
        if error.status != 404:
            raise
    wanted = V2beta1Pipeline(
        name=name, display_name=name, description=ready.description, namespace=kubeflow.namespace
    )
    try:
        made = kubeflow.ask(f"make pipeline `{name}`", api.pipeline_service_create_pipeline, wanted)
    except RejectedError as error:
        if error.status != 409:  # somebody else has just made it
            raise
        return find()
    return made.pipeline_id


def _find_version(kubeflow: Kubeflow, pipeline: str, name: str) -> str | None:
    read = kubeflow.client.pipelines.pipeline_service_list_pipeline_versions
    doing = f"find version `{name}`"
    found = kubeflow.pages(
        doing, partial(read, pipeline), "pipeline_versions", filter=_equals("name", name)
    )
    return next((one.pipeline_version_id for one in found if name in (one.name, one.display_name)), None)


def _upload(kubeflow: Kubeflow, pipeline: str, ready: Ready) -> str:
    upload = kubeflow.client.pipeline_uploads.upload_pipeline_version
    doing = f"upload version `{ready.version}`"
    named: dict[str, Any] = {
        "name": ready.version,
        "pipelineid": pipeline,
        "description": ready.description,
    }
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / f"{ready.version}.yaml"
        file.write_text(ready.text, encoding="utf-8")
        try:
            made = kubeflow.ask(doing, upload, str(file), **named)
        except RejectedError as error:
            found = _find_version(kubeflow, pipeline, ready.version) if error.status == 409 else None
            if found is None:
                raise
            return found
    return made.pipeline_version_id


def _experiment(kubeflow: Kubeflow, name: str) -> str:
    from kfp_server_api import V2beta1Experiment

    api, doing = kubeflow.client.experiments, f"find experiment `{name}`"

    def find() -> str | None:
        listed = kubeflow.pages(
            doing, api.experiment_service_list_experiments, "experiments",
            filter=_equals("display_name", name), namespace=kubeflow.namespace,
        )  # fmt: skip
        return next((one.experiment_id for one in listed if one.display_name == name), None)

    if found := find():
        return found
    wanted = V2beta1Experiment(display_name=name, namespace=kubeflow.namespace)
    make = api.experiment_service_create_experiment
    try:
        return kubeflow.ask(f"make experiment `{name}`", make, wanted).experiment_id
    except RejectedError as error:
        if error.status == 409 and (found := find()):
            return found
        raise


def _begin(
    kubeflow: Kubeflow, ready: Ready, experiment: str, pipeline: str, version: str, submission: Submission
) -> str:
    from kfp_server_api import V2beta1PipelineVersionReference, V2beta1Run, V2beta1RuntimeConfig

    run = V2beta1Run(
        experiment_id=experiment, display_name=f"{ready.pipeline}-{time.strftime('%Y%m%d-%H%M%S')}",
        pipeline_version_reference=V2beta1PipelineVersionReference(
            pipeline_id=pipeline, pipeline_version_id=version
        ),
        runtime_config=V2beta1RuntimeConfig(parameters=ready.parameters),
        service_account=submission.service_account,
    )  # fmt: skip
    begin = kubeflow.client.runs.run_service_create_run
    try:
        return kubeflow.ask("begin the run", begin, run, twice=False).run_id
    except UnavailableError as error:
        fix = "`millrace runs --host …` tells whether it has begun all the same"
        raise UnavailableError(f"{error}; {fix}") from error


def _equals(key: str, value: str) -> str:
    predicates: list[Mapping[str, Any]] = [{"operation": "EQUALS", "key": key, "string_value": value}]
    return json.dumps({"predicates": predicates})

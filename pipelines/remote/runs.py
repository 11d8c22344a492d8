"""Runs as Kubeflow Pipelines has them: found, listed, and read with their packages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from components.common.errors import BadInputError, ComponentError
from pipelines.local.plan import Plan
from pipelines.local.reading import inspect_documents
from pipelines.remote.answers import RejectedError
from pipelines.remote.api import Kubeflow
from pipelines.remote.nodes import Node, read_nodes, seconds_of

_STATES = {"CANCELED": "CANCELLED", "CANCELING": "CANCELLING", "RUNTIME_STATE_UNSPECIFIED": "PENDING"}
_ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED")


@dataclass(frozen=True, kw_only=True)
class Package:
    """What a run executes.

    Attributes:
        documents: The pipeline, then perhaps settings for Kubernetes.
        plan: The same as typed values; None when it is of a form that is not known here.
    """

    documents: Sequence[Any]
    plan: Plan | None

    @classmethod
    def of(cls, documents: list[Any], digest: str = "") -> Package:
        """Return a package; what cannot be executed on this machine is no obstacle."""
        try:
            plan = inspect_documents(documents, where="the run's package", digest=digest)[0]
        except ComponentError:
            plan = None
        return cls(documents=documents, plan=plan)

    @classmethod
    def within(cls, spec: Any) -> Package:
        """Return the package inside the API's `pipeline_spec`, which holds one or two documents."""
        documents = [spec.get("pipeline_spec") or spec]
        if platform := spec.get("platform_spec"):
            documents.append(platform)
        return cls.of(documents)

    @property
    def name(self) -> str | None:
        """The pipeline's name as its package has it."""
        return (self.documents[0].get("pipelineInfo") or {}).get("name")


@dataclass(frozen=True, kw_only=True)
class RemoteRun:
    """A run at one moment.

    Attributes:
        message: What the API says of it, a `V2beta1Run`.
        package: What it executes.
        pipeline: Name of its pipeline.
        version: Name of the pipeline's version, or None when the package came with the run.
    """

    message: Any
    package: Package
    pipeline: str
    version: str | None

    @property
    def run_id(self) -> str:
        """Its id."""
        return str(self.message.run_id)

    @property
    def state(self) -> str:
        """How it stands, in the words of a local run."""
        return state_of(self.message)

    @property
    def has_ended(self) -> bool:
        """Nothing more comes."""
        return self.state in _ENDED

    @property
    def parameters(self) -> dict[str, Any]:
        """What it was given; defaults are in the package."""
        config = self.message.runtime_config
        return dict(config.parameters or {}) if config is not None else {}

    @property
    def details(self) -> Sequence[Any]:
        """The nodes of its workflow."""
        found = self.message.run_details
        return (found.task_details or ()) if found is not None else ()

    @cached_property
    def nodes(self) -> list[Node]:
        """Its tasks that have begun."""
        return read_nodes(self.details, self.package.plan) if self.package.plan is not None else []

    @property
    def seconds(self) -> float | None:
        """From its creation to its end, or None when it has not ended."""
        return _seconds(self.message)


def find_run(kubeflow: Kubeflow, run_id: str, package: Package | None = None) -> RemoteRun:
    """Read a run as it stands now.

    Args:
        kubeflow: Where it is.
        run_id: Its id.
        package: What it executes, when that is known already.

    Raises:
        BadInputError: There is none, or it may not be read.
        UnavailableError: Kubeflow does not answer.
    """
    try:
        found = kubeflow.ask(f"read run {run_id}", kubeflow.client.runs.run_service_get_run, run_id)
    except RejectedError as error:
        if error.status != 404:
            raise
        fix = "`millrace runs --host …` lists the runs"
        raise BadInputError("no such run", where=kubeflow.host.url, value=run_id, fix=fix) from error
    version = None
    if package is None:
        package, version = read_package_of(kubeflow, found)
    name = package.name or found.display_name
    return RemoteRun(message=found, package=package, pipeline=name, version=version)


def read_package_of(kubeflow: Kubeflow, run: Any) -> tuple[Package, str | None]:
    """Read what a run executes, and the name of the pipeline's version it is."""
    reference, version = run.pipeline_version_reference, None
    spec = run.pipeline_spec
    if spec is None and reference is not None:
        found = kubeflow.ask(
            "read the run's package", kubeflow.client.pipelines.pipeline_service_get_pipeline_version,
            reference.pipeline_id, reference.pipeline_version_id,
        )  # fmt: skip
        spec, version = found.pipeline_spec, found.name or found.display_name
    return Package.within(spec or {}), version


def list_records(kubeflow: Kubeflow, limit: int) -> list[dict[str, Any]]:
    """List the newest runs, newest first, with the keys that a local run's record has."""
    names: dict[str, str] = {}
    runs = kubeflow.pages(
        "list the runs", kubeflow.client.runs.run_service_list_runs, "runs",
        sort_by="created_at desc", namespace=kubeflow.namespace,
    )  # fmt: skip
    return [_record(kubeflow, run, names) for run in itertools.islice(runs, limit)]


def _record(kubeflow: Kubeflow, run: Any, names: dict[str, str]) -> dict[str, Any]:
    return {
        "run_id": run.run_id, "pipeline": _pipeline_name(kubeflow, run, names), "state": state_of(run),
        "seconds": _seconds(run), "name": run.display_name, "created": _iso(run.created_at),
        "page": kubeflow.host.run_page(run.run_id), "error": run.error.message if run.error else None,
    }  # fmt: skip


def _pipeline_name(kubeflow: Kubeflow, run: Any, names: dict[str, str]) -> str:
    """Return the name of a run's pipeline; of one that was deleted, the run's own."""
    reference = run.pipeline_version_reference
    if reference is None or not reference.pipeline_id:
        return Package.within(run.pipeline_spec or {}).name or run.display_name
    if reference.pipeline_id not in names:
        try:
            read = kubeflow.client.pipelines.pipeline_service_get_pipeline
            found = kubeflow.ask("read a pipeline", read, reference.pipeline_id)
            names[reference.pipeline_id] = found.name or found.display_name
        except RejectedError:
            names[reference.pipeline_id] = run.display_name
    return names[reference.pipeline_id]


def state_of(run: Any) -> str:
    """Return how a run stands; one that was told to end reads as failed in the API."""
    state = str(run.state or "PENDING")
    told = any(str(status.state) == "CANCELING" for status in run.state_history or ())
    return "CANCELLED" if state == "FAILED" and told else _STATES.get(state, state)


def _seconds(run: Any) -> float | None:
    ended = seconds_of(run.finished_at)
    return max(0.0, ended - seconds_of(run.created_at)) if ended else None


def _iso(moment: Any) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")

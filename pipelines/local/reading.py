"""Reads a compiled package into a plan, and names all that the runner does not execute."""

from __future__ import annotations

import gc
import graphlib
import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.common.errors import BadInputError
from pipelines.local.cluster_settings import ClusterSettings, read_cluster_settings
from pipelines.local.conditions import Condition, parse_condition
from pipelines.local.connections import Content, read_graph_outputs, read_ports, read_sources
from pipelines.local.constructs import SCHEMA_VERSION
from pipelines.local.documents import read_documents
from pipelines.local.executors import read_executor
from pipelines.local.expressions import UNCLEAR, UNCLEAR_FIX
from pipelines.local.labels import label_tasks
from pipelines.local.plan import (
    Constant,
    Container,
    FinalStatus,
    FromInput,
    FromTask,
    Graph,
    Group,
    Importer,
    Loop,
    Part,
    Plan,
    Retry,
    Source,
    Task,
)
from pipelines.local.refusal import Problems
from pipelines.local.values import convert
from pipelines.local.wiring import check_wiring, check_workspace

_MARKS = {"schemaVersion", "pipelineInfo", "deploymentSpec"}  # without any of them it is no package
Path_ = tuple[str, ...]  # names of tasks, the outermost first


def read_package(path: Path) -> Plan:
    """Read a package that `kfp.compiler` wrote.

    Args:
        path: The YAML file: the pipeline, then perhaps settings for Kubernetes.

    Returns:
        The plan.

    Raises:
        BadInputError: The file is missing or no package, or it asks for something that is not executed.
    """
    plan, problems = inspect_package(path)
    problems.raise_first()
    return plan


@contextmanager
def _nothing_collected() -> Generator[None]:
    """Keep the garbage collector out: it takes half of the time, and what is read here is no garbage."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@_nothing_collected()
def inspect_package(path: Path) -> tuple[Plan, Problems]:
    """Read a package and collect everything for which it is not executed.

    Returns:
        The plan, which can be executed only when there is no problem; and the problems.

    Raises:
        BadInputError: The file is missing or no package.
    """
    try:
        text = path.read_bytes()
        documents = read_documents(text)
    except OSError as error:
        raise BadInputError(f"package cannot be read: {error.strerror}", where=path) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError("package is no YAML", where=path, fix="compile the pipeline again") from error
    return inspect_documents(documents, where=path, digest=hashlib.sha256(text).hexdigest())


def inspect_documents(documents: list[Any], *, where: Path | str, digest: str) -> tuple[Plan, Problems]:
    """Do the same for what stands in the file: the pipeline, then perhaps settings for Kubernetes.

    Raises:
        BadInputError: It is no package.
    """
    if not all(isinstance(document, dict) for document in documents) or not is_package(documents[:1]):
        raise BadInputError("not a compiled package", where=where, fix="give what `millrace compile` wrote")
    problems = Problems()
    try:
        settings = read_cluster_settings(documents[1:], problems)
        reader = _Reader(documents[0], settings, problems)
        return reader.plan(digest), problems
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        problems.raise_first()  # it may be what a later part of the package stumbled over
        what = f"malformed package: {type(error).__name__} {error}"
        raise BadInputError(what, where=where, fix="compile the pipeline again") from error


def is_package(documents: list[Any]) -> bool:
    """Tell whether documents begin with a pipeline, well formed or not."""
    return bool(documents) and isinstance(documents[0], dict) and bool(_MARKS & set(documents[0]))


class _Reader:
    def __init__(self, spec: Content, settings: ClusterSettings, problems: Problems) -> None:
        self._spec, self._settings, self._problems = spec, settings, problems
        self._components: Content = spec.get("components") or {}
        self._labels: Mapping[Path_, str] = {}

    def plan(self, digest: str) -> Plan:
        spec, problems = self._spec, self._problems
        if spec.get("schemaVersion") != SCHEMA_VERSION:
            problems.refuse(
                "schemaVersion", "`schemaVersion`", spec.get("schemaVersion"), name="this schema version"
            )
        known = ("pipelineInfo", "deploymentSpec", "sdkVersion", "schemaVersion", "components", "root")
        problems.keys(spec, known, "package", harmless=("defaultPipelineRoot",))
        problems.keys(spec["deploymentSpec"], ("executors",), "`deploymentSpec`")
        root: Content = spec["root"]
        problems.keys(root, ("dag", "inputDefinitions", "outputDefinitions"), "pipeline")
        inputs = read_ports(root.get("inputDefinitions") or {}, "pipeline", problems)
        for name in inputs.artifacts:
            problems.refuse("graph-artifact-input", f"input `{name}`")
        self._labels = label_tasks(root["dag"]["tasks"], self._components)
        graph = self._graph(root["dag"], ())
        check_wiring(graph, inputs, problems, where="")
        if not self._settings.workspace:
            check_workspace(graph, problems)
        return Plan(
            pipeline=str(spec["pipelineInfo"]["name"]), inputs=inputs.parameters, graph=graph,
            notices=tuple(f"`{key}` has no meaning on one machine" for key in problems.passed_over),
            digest=digest, workspace=self._settings.workspace,
        )  # fmt: skip

    def _graph(self, dag: Content, path: Path_) -> Graph:
        where = _inside(path) or "pipeline"
        self._problems.keys(dag, ("tasks", "outputs"), where)
        tasks = {name: self._task(name, task, path) for name, task in dag["tasks"].items()}
        outputs = read_graph_outputs(dag.get("outputs") or {}, where, self._problems)
        for task in tasks.values():
            for gone in sorted(task.after - set(tasks)):
                what = f"no task '{gone}' to wait for"
                self._problems.broken("graph", what, f"{_inside(path)}task `{task.name}`")
        try:
            ahead = {name: task.after & set(tasks) for name, task in tasks.items()}
            order = graphlib.TopologicalSorter(ahead)
            return Graph(tasks={name: tasks[name] for name in order.static_order()}, outputs=outputs)
        except graphlib.CycleError as error:
            self._problems.broken("graph", "tasks wait for one another", where, error.args[1])
            return Graph(tasks=tasks, outputs=outputs)

    def _task(self, name: str, task: Content, path: Path_) -> Task:
        here, where = (*path, name), f"{_inside(path)}task `{name}`"
        known = (
            "taskInfo", "inputs", "dependentTasks", "cachingOptions", "componentRef", "retryPolicy",
            "iteratorPolicy", "parameterIterator", "triggerPolicy",
        )  # fmt: skip
        self._problems.keys(task, known, where)
        caching = task.get("cachingOptions") or {}
        self._problems.keys(caching, ("enableCache",), where)
        component = self._components[task["componentRef"]["name"]]
        known = ("inputDefinitions", "outputDefinitions", "dag", "executorLabel")
        self._problems.keys(component, known, where)
        parameters, artifacts = read_sources(task.get("inputs") or {}, where, self._problems)
        sources = (*parameters.values(), *artifacts.values())
        producers = {found for source in sources for found in _producer(source)}
        condition, always = self._trigger(task.get("triggerPolicy") or {}, where)
        work, retry = self._work(task, component, here, where), self._retry(task, where)
        if retry.limit and not isinstance(work, Container):
            self._problems.refuse("graph-retry", where)
        return Task(
            name=name, label=self._labels[here], display_name=_display_name(task, name),
            inputs=read_ports(component.get("inputDefinitions") or {}, where, self._problems),
            outputs=read_ports(component.get("outputDefinitions") or {}, where, self._problems),
            parameters=parameters, artifacts=artifacts,
            after=frozenset(task.get("dependentTasks") or ()) | producers,
            caching=bool(caching.get("enableCache")), work=work, condition=condition, always=always,
            retry=retry,
        )  # fmt: skip

    def _trigger(self, policy: Content, where: str) -> tuple[Condition | None, bool]:
        self._problems.keys(policy, ("condition", "strategy"), where)
        strategy = policy.get("strategy") or "ALL_UPSTREAM_TASKS_SUCCEEDED"
        if strategy not in ("ALL_UPSTREAM_TASKS_SUCCEEDED", "ALL_UPSTREAM_TASKS_COMPLETED"):
            self._problems.refuse("trigger", where, strategy)
        condition = None
        if text := policy.get("condition"):
            try:
                condition = parse_condition(text, where)
            except BadInputError:
                self._problems.broken("condition", UNCLEAR, where, text, UNCLEAR_FIX)
        return condition, strategy == "ALL_UPSTREAM_TASKS_COMPLETED"

    def _retry(self, task: Content, where: str) -> Retry:
        policy = task.get("retryPolicy") or {}
        known = ("maxRetryCount", "backoffDuration", "backoffFactor", "backoffMaxDuration")
        self._problems.keys(policy, known, where)
        return Retry(
            limit=int(policy.get("maxRetryCount") or 0), wait=_seconds(policy.get("backoffDuration"), 0.0),
            factor=float(policy.get("backoffFactor") or 2.0),
            within=_seconds(policy.get("backoffMaxDuration"), 3600.0),
        )  # fmt: skip

    def _work(
        self, task: Content, component: Content, here: Path_, where: str
    ) -> Container | Importer | Group | Loop:
        iterator = task.get("parameterIterator")
        if "dag" not in component:
            if iterator:
                self._problems.refuse("graph-iterator", where)
            deployment: Content = self._spec["deploymentSpec"]
            return read_executor(component, deployment, self._settings, where, self._problems)
        body = self._graph(component["dag"], here)
        if not iterator:
            return Group(body=body)
        self._problems.keys(iterator, ("items", "itemInput"), where)
        self._problems.keys(iterator["items"], ("raw", "inputParameter"), where)
        policy = task.get("iteratorPolicy") or {}
        self._problems.keys(policy, ("parallelismLimit",), where)
        limit = int(policy.get("parallelismLimit") or 0)
        items = _items(iterator["items"], where)
        return Loop(item=iterator["itemInput"], items=items, parallelism=limit or None, body=body)


def _inside(path: Path_) -> str:
    return "".join(f"inside `{name}`, " for name in path)


def _display_name(task: Content, name: str) -> str:
    return str((task.get("taskInfo") or {}).get("name") or name)


def _producer(source: Source) -> Sequence[str]:
    if isinstance(source, Part):
        return _producer(source.source)
    return [source.task] if isinstance(source, (FromTask, FinalStatus)) else []


def _seconds(duration: str | None, otherwise: float) -> float:
    return float(duration.removesuffix("s")) if duration else otherwise


def _items(items: Content, where: str) -> Constant | FromInput:
    if "raw" not in items:
        return FromInput(items["inputParameter"])
    value = json.loads(items["raw"]) if isinstance(items["raw"], str) else items["raw"]
    return Constant(convert(value, "LIST", f"{where}, items of the loop"))

"""Reads a compiled package into a plan, and refuses by name what the runner does not execute."""

from __future__ import annotations

import graphlib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from components.common.errors import BadInputError
from pipelines.local.labels import label_tasks
from pipelines.local.placeholders import has_placeholder, unknown_placeholder
from pipelines.local.plan import (
    ArtifactSpec,
    Constant,
    Container,
    FromInput,
    FromTask,
    Graph,
    Loop,
    ParameterSpec,
    Plan,
    Ports,
    Source,
    Task,
)
from pipelines.local.refusal import (
    SCHEMA_VERSION,
    read_platform,
    refuse_key,
    refused,
    require_keys,
    require_known_triggers,
)
from pipelines.local.values import PARAMETER_TYPES, convert
from pipelines.local.wiring import check_wiring

Content = Mapping[str, Any]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times faster


def read_package(path: Path) -> Plan:
    """Read a package that `kfp.compiler` wrote.

    Args:
        path: The YAML file: the pipeline, then perhaps settings for Kubernetes.

    Returns:
        The plan.

    Raises:
        BadInputError: The file is missing or no package, or it asks for something that is not executed.
    """
    try:
        text = path.read_bytes()
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
    except OSError as error:
        raise BadInputError(f"package cannot be read: {error.strerror}", where=path) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError("package is no YAML", where=path, fix="compile the pipeline again") from error
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise BadInputError("not a compiled package", where=path, fix="give what `millrace compile` wrote")
    try:
        return _Reader(documents[0]).plan(documents[1:], hashlib.sha256(text).hexdigest())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"malformed package: {type(error).__name__} {error}"
        raise BadInputError(what, where=path, fix="compile the pipeline again") from error


class _Reader:
    def __init__(self, spec: Content) -> None:
        self._spec = spec
        self._components: Content = spec.get("components") or {}
        self._notices: list[str] = []

    def plan(self, platform: Sequence[Content], digest: str) -> Plan:
        spec = self._spec
        if spec.get("schemaVersion") != SCHEMA_VERSION:
            raise refused("this schema version", "`schemaVersion`", spec.get("schemaVersion"))
        known = ("pipelineInfo", "deploymentSpec", "sdkVersion", "schemaVersion", "components", "root")
        self._notices += require_keys(spec, known, "package", harmless=("defaultPipelineRoot",))
        require_keys(spec["deploymentSpec"], ("executors",), "`deploymentSpec`")
        root: Content = spec["root"]
        if root.get("outputDefinitions"):
            raise refused("a pipeline that returns something", "pipeline")
        require_keys(root, ("dag", "inputDefinitions"), "pipeline")
        inputs = _ports(root.get("inputDefinitions") or {}, "pipeline")
        if inputs.artifacts:
            raise refused("artifacts as inputs of a pipeline", f"input `{next(iter(inputs.artifacts))}`")
        labels = label_tasks(root["dag"]["tasks"], self._components)
        graph = self._graph(root["dag"], (), labels)
        check_wiring(graph, inputs, where="")
        ignored = dict.fromkeys([*self._notices, *read_platform(platform)])
        return Plan(
            pipeline=str(spec["pipelineInfo"]["name"]), inputs=inputs.parameters, graph=graph,
            notices=tuple(f"`{key}` has no meaning on one machine" for key in ignored), digest=digest,
        )  # fmt: skip

    def _graph(self, dag: Content, path: tuple[str, ...], labels: Mapping[tuple[str, ...], str]) -> Graph:
        where = "".join(f"loop `{name}`, " for name in path)
        require_keys(dag, ("tasks", "outputs"), where or "pipeline")
        require_known_triggers(dag["tasks"], where)
        tasks = {name: self._task(name, task, path, labels) for name, task in dag["tasks"].items()}
        outputs = _graph_outputs(dag.get("outputs") or {}, where or "pipeline")
        try:
            order = graphlib.TopologicalSorter({name: task.after for name, task in tasks.items()})
            return Graph(tasks={name: tasks[name] for name in order.static_order()}, outputs=outputs)
        except graphlib.CycleError as error:
            raise BadInputError("tasks wait for one another", where=where, value=error.args[1]) from error
        except KeyError as error:
            raise BadInputError(f"no task {error} to wait for", where=where or "pipeline") from error

    def _task(
        self, name: str, task: Content, path: tuple[str, ...], labels: Mapping[tuple[str, ...], str]
    ) -> Task:
        here = (*path, name)
        where = "".join(f"loop `{loop}`, " for loop in path) + f"task `{name}`"
        known = (
            "taskInfo", "inputs", "dependentTasks", "cachingOptions", "componentRef", "retryPolicy",
            "iteratorPolicy", "parameterIterator", "triggerPolicy",
        )  # fmt: skip
        require_keys(task, known, where)
        caching = task.get("cachingOptions") or {}
        require_keys(caching, ("enableCache",), where)
        component = self._components[task["componentRef"]["name"]]
        known = ("inputDefinitions", "outputDefinitions", "dag", "executorLabel")
        require_keys(component, known, where)
        parameters, artifacts = _sources(task.get("inputs") or {}, where)
        producers = {s.task for s in (*parameters.values(), *artifacts.values()) if isinstance(s, FromTask)}
        return Task(
            name=name, label=labels[here], display_name=_display_name(task, name),
            inputs=_ports(component.get("inputDefinitions") or {}, where),
            outputs=_ports(component.get("outputDefinitions") or {}, where),
            parameters=parameters, artifacts=artifacts,
            after=frozenset(task.get("dependentTasks") or ()) | producers,
            caching=bool(caching.get("enableCache")),
            work=self._work(task, component, here, labels, where),
        )  # fmt: skip

    def _work(
        self, task: Content, component: Content, here: tuple[str, ...],
        labels: Mapping[tuple[str, ...], str], where: str,
    ) -> Container | Loop:  # fmt: skip
        iterator = task.get("parameterIterator")
        if "dag" not in component:
            if iterator:
                raise refused("a loop without a graph of its own", where)
            return self._container(component["executorLabel"], where)
        if not iterator:
            raise refused("a nested pipeline or task group", where)
        require_keys(iterator, ("items", "itemInput"), where)
        require_keys(iterator["items"], ("raw", "inputParameter"), where)
        policy = task.get("iteratorPolicy") or {}
        require_keys(policy, ("parallelismLimit",), where)
        limit = int(policy.get("parallelismLimit") or 0)
        return Loop(
            item=iterator["itemInput"], items=_items(iterator["items"], where),
            parallelism=limit or None, body=self._graph(component["dag"], here, labels),
        )  # fmt: skip

    def _container(self, executor: str, where: str) -> Container:
        spec = self._spec["deploymentSpec"]["executors"][executor]
        require_keys(spec, ("container",), where)
        container: Content = spec["container"]
        known = ("image", "command", "args", "env")
        self._notices += require_keys(container, known, where, harmless=("resources",))
        command = tuple(str(part) for part in [*container.get("command", ()), *container.get("args", ())])
        if not command:
            raise refused("an image's own entry point", where)
        for part in (*command, str(container["image"])):
            if part.startswith(('{"IfPresent"', '{"Concat"')):
                raise refused("IfPresent and Concat placeholders", where)
            if unknown := unknown_placeholder(part):
                raise refused(f"the placeholder {unknown}", where)
        return Container(
            image=str(container["image"]), command=command,
            environment={entry["name"]: str(entry.get("value", "")) for entry in container.get("env", ())},
        )  # fmt: skip


def _display_name(task: Content, name: str) -> str:
    return str((task.get("taskInfo") or {}).get("name") or name)


def _ports(definitions: Content, where: str) -> Ports:
    require_keys(definitions, ("parameters", "artifacts"), where)
    return Ports(
        parameters={
            name: _parameter(spec, f"{where}, parameter `{name}`")
            for name, spec in (definitions.get("parameters") or {}).items()
        },
        artifacts={
            name: _artifact(spec, f"{where}, artifact `{name}`")
            for name, spec in (definitions.get("artifacts") or {}).items()
        },
    )


def _parameter(spec: Content, where: str) -> ParameterSpec:
    require_keys(spec, ("parameterType", "defaultValue", "isOptional", "description"), where)
    kind = spec["parameterType"]
    if kind not in PARAMETER_TYPES:
        raise refused(f"parameters of type {kind}", where)
    default = spec.get("defaultValue")
    default = None if default is None else convert(default, kind, where)
    return ParameterSpec(type=kind, optional=bool(spec.get("isOptional")), default=default)


def _artifact(spec: Content, where: str) -> ArtifactSpec:
    require_keys(spec, ("artifactType", "isArtifactList", "isOptional", "description"), where)
    require_keys(spec["artifactType"], ("schemaTitle", "schemaVersion"), where)
    return ArtifactSpec(
        title=spec["artifactType"]["schemaTitle"], version=spec["artifactType"].get("schemaVersion", ""),
        many=bool(spec.get("isArtifactList")), optional=bool(spec.get("isOptional")),
    )  # fmt: skip


def _sources(inputs: Content, where: str) -> tuple[dict[str, Source], dict[str, FromInput | FromTask]]:
    require_keys(inputs, ("parameters", "artifacts"), where)
    parameters = {
        name: _parameter_source(spec, f"{where}, input `{name}`")
        for name, spec in (inputs.get("parameters") or {}).items()
    }
    artifacts = {
        name: _artifact_source(spec, f"{where}, input `{name}`")
        for name, spec in (inputs.get("artifacts") or {}).items()
    }
    return parameters, artifacts


def _parameter_source(spec: Content, where: str) -> Source:
    require_keys(spec, ("runtimeValue", "taskOutputParameter", "componentInputParameter"), where)
    if "runtimeValue" in spec:
        require_keys(spec["runtimeValue"], ("constant",), where)
        value = spec["runtimeValue"].get("constant")
        if isinstance(value, str) and has_placeholder(value):
            raise refused("a placeholder or f-string as a value", where, value)
        return Constant(value)
    if "taskOutputParameter" in spec:
        found = spec["taskOutputParameter"]
        return FromTask(found["producerTask"], found["outputParameterKey"])
    return FromInput(spec["componentInputParameter"])


def _artifact_source(spec: Content, where: str) -> FromInput | FromTask:
    require_keys(spec, ("taskOutputArtifact", "componentInputArtifact"), where)
    if found := spec.get("taskOutputArtifact"):
        return FromTask(found["producerTask"], found["outputArtifactKey"])
    return FromInput(spec["componentInputArtifact"])


def _items(items: Content, where: str) -> Constant | FromInput:
    if "raw" not in items:
        return FromInput(items["inputParameter"])
    value = yaml.safe_load(items["raw"]) if isinstance(items["raw"], str) else items["raw"]
    return Constant(convert(value, "LIST", f"{where}, items of the loop"))


def _graph_outputs(outputs: Content, where: str) -> dict[str, FromTask]:
    require_keys(outputs, ("parameters", "artifacts"), where)
    found: dict[str, FromTask] = {}
    for name, spec in (outputs.get("parameters") or {}).items():
        require_keys(spec, ("valueFromParameter",), where)
        source = spec["valueFromParameter"]
        found[name] = FromTask(source["producerSubtask"], source["outputParameterKey"])
    for name, spec in (outputs.get("artifacts") or {}).items():
        if len(spec["artifactSelectors"]) != 1:
            raise refuse_key("valueFromOneof", f"{where}, output `{name}`")
        source = spec["artifactSelectors"][0]
        found[name] = FromTask(source["producerSubtask"], source["outputArtifactKey"])
    return found

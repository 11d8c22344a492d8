"""Both sides of a component, and where a task's inputs come from, as the package writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pipelines.local.placeholders import has_placeholder, unknown_placeholder
from pipelines.local.plan import (
    ArtifactSpec,
    Constant,
    FinalStatus,
    FromInput,
    FromTask,
    ParameterSpec,
    Part,
    Ports,
    Source,
    Template,
)
from pipelines.local.refusal import Problems
from pipelines.local.values import PARAMETER_TYPES, convert

Content = Mapping[str, Any]


def read_ports(definitions: Content, where: str, problems: Problems) -> Ports:
    """Read one side of a component."""
    problems.keys(definitions, ("parameters", "artifacts"), where)
    return Ports(
        parameters={
            name: _parameter(spec, f"{where}, parameter `{name}`", problems)
            for name, spec in (definitions.get("parameters") or {}).items()
        },
        artifacts={
            name: _artifact(spec, f"{where}, artifact `{name}`", problems)
            for name, spec in (definitions.get("artifacts") or {}).items()
        },
    )


def _parameter(spec: Content, where: str, problems: Problems) -> ParameterSpec:
    problems.keys(spec, ("parameterType", "defaultValue", "isOptional", "description"), where)
    kind = spec["parameterType"]
    default = spec.get("defaultValue")
    if kind not in PARAMETER_TYPES:
        problems.refuse("parameter-type", where, kind, name=f"parameters of type {kind}")
        default = None
    default = None if default is None else convert(default, kind, where)
    return ParameterSpec(type=kind, optional=bool(spec.get("isOptional")), default=default)


def _artifact(spec: Content, where: str, problems: Problems) -> ArtifactSpec:
    problems.keys(spec, ("artifactType", "isArtifactList", "isOptional", "description"), where)
    problems.keys(spec["artifactType"], ("schemaTitle", "schemaVersion"), where)
    return ArtifactSpec(
        title=spec["artifactType"]["schemaTitle"], version=spec["artifactType"].get("schemaVersion", ""),
        many=bool(spec.get("isArtifactList")), optional=bool(spec.get("isOptional")),
    )  # fmt: skip


def read_sources(
    inputs: Content, where: str, problems: Problems
) -> tuple[dict[str, Source], dict[str, FromInput | FromTask]]:
    """Read where the parameters and the artifacts of a task come from."""
    problems.keys(inputs, ("parameters", "artifacts"), where)
    parameters = {
        name: _parameter_source(spec, f"{where}, input `{name}`", problems)
        for name, spec in (inputs.get("parameters") or {}).items()
    }
    artifacts = {
        name: _artifact_source(spec, f"{where}, input `{name}`", problems)
        for name, spec in (inputs.get("artifacts") or {}).items()
    }
    return parameters, artifacts


def _parameter_source(spec: Content, where: str, problems: Problems) -> Source:
    known = (
        "runtimeValue", "taskOutputParameter", "componentInputParameter", "taskFinalStatus",
        "parameterExpressionSelector",
    )  # fmt: skip
    problems.keys(spec, known, where)
    if "runtimeValue" in spec:
        problems.keys(spec["runtimeValue"], ("constant",), where)
        return _constant(spec["runtimeValue"].get("constant"), where, problems)
    if "taskFinalStatus" in spec:
        return FinalStatus(spec["taskFinalStatus"]["producerTask"])
    if "taskOutputParameter" in spec:
        found = spec["taskOutputParameter"]
        source = FromTask(found["producerTask"], found["outputParameterKey"])
    else:
        source = FromInput(spec["componentInputParameter"])
    selector = spec.get("parameterExpressionSelector")
    return Part(source, _keys(selector, where, problems)) if selector else source


def _constant(value: Any, where: str, problems: Problems) -> Constant | Template:
    texts = [text for text in _texts(value) if has_placeholder(text)]
    for text in texts:
        if unknown := unknown_placeholder(text):
            problems.refuse("placeholder", where, unknown, name=f"the placeholder {unknown}")
    return Template(value) if texts else Constant(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inside in cast("list[Any]", value):
            yield from _texts(inside)
    elif isinstance(value, dict):
        for key, inside in cast("dict[str, Any]", value).items():
            yield key
            yield from _texts(inside)


_SELECTOR = re.compile(r'parseJson\(string_value\)((?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])*)')
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\d+')


def _keys(selector: str, where: str, problems: Problems) -> tuple[str | int, ...]:
    found = _SELECTOR.fullmatch(selector.strip())
    try:
        keys = None if found is None else [json.loads(key) for key in _KEY.findall(found[1])]
    except ValueError:
        keys = None
    if keys is None:
        problems.refuse("selector", where, selector)
        return ()
    return tuple(keys)


def _artifact_source(spec: Content, where: str, problems: Problems) -> FromInput | FromTask:
    problems.keys(spec, ("taskOutputArtifact", "componentInputArtifact"), where)
    if found := spec.get("taskOutputArtifact"):
        return FromTask(found["producerTask"], found["outputArtifactKey"])
    return FromInput(spec["componentInputArtifact"])


def read_graph_outputs(outputs: Content, where: str, problems: Problems) -> dict[str, tuple[FromTask, ...]]:
    """Read which tasks may give each output of a graph; the first that was executed does."""
    problems.keys(outputs, ("parameters", "artifacts"), where)
    found: dict[str, tuple[FromTask, ...]] = {}
    for name, spec in (outputs.get("parameters") or {}).items():
        problems.keys(spec, ("valueFromParameter", "valueFromOneof"), where)
        if "valueFromOneof" in spec:
            selectors = spec["valueFromOneof"]["parameterSelectors"]
        else:
            selectors = [spec["valueFromParameter"]]
        key = "outputParameterKey"
        found[name] = tuple(FromTask(one["producerSubtask"], one[key]) for one in selectors)
    for name, spec in (outputs.get("artifacts") or {}).items():
        problems.keys(spec, ("artifactSelectors",), where)
        selectors = spec["artifactSelectors"]
        found[name] = tuple(FromTask(one["producerSubtask"], one["outputArtifactKey"]) for one in selectors)
    return found

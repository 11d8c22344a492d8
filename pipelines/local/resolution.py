"""What a task is given: each input from where the package says it comes from, in its component's type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from components.common.errors import BadInputError
from pipelines.local.content import Artifact
from pipelines.local.exchange import Inputs
from pipelines.local.placeholders import fill_all
from pipelines.local.plan import (
    Constant,
    FinalStatus,
    FromInput,
    FromTask,
    Group,
    Loop,
    ParameterSpec,
    Part,
    Source,
    Task,
    Template,
)
from pipelines.local.values import as_text, convert

State = Literal["COMPLETE", "FAILED", "CANCELED"]
Values = Mapping[str, Any]  # what a task or a graph gave or takes, by port


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a task or a graph ended.

    Attributes:
        state: As in ML Metadata. CANCELED when its condition did not hold, when what it depends on was
            not executed for such a reason, and when the run was cancelled.
        values: What it gave; empty unless it is COMPLETE.
    """

    state: State
    values: Values = field(default_factory=dict[str, Any])


def resolve_inputs(
    task: Task, scope: Values, results: Mapping[str, Outcome], names: Mapping[str, str]
) -> Inputs:
    """Give a task its inputs.

    Args:
        task: The task.
        scope: Inputs of the graph that it is in.
        results: How the tasks it depends on ended, by name.
        names: What the placeholders of the job stand for.

    Returns:
        Its inputs in the types of its component, with defaults; what is unset is absent. As in KFP, an
        input of type text takes any value as its JSON, and inputs of a graph keep their types.

    Raises:
        BadInputError: A required input has no value, or a value has another type.
    """
    whole = isinstance(task.work, (Group, Loop))  # KFP calls all inputs of a graph required, unset ones too
    found = _Resolution(task, scope, results, names).parameters()
    parameters: dict[str, Any] = {}
    for name, spec in task.inputs.parameters.items():
        where = f"input `{name}` of task `{task.label}`"
        value = spec.default if found.get(name) is None else found[name]
        if value is not None:
            parameters[name] = value if whole else _typed(value, spec, where)
        elif not (whole or spec.optional):
            fix = "set the parameter behind it"
            raise BadInputError("required input has no value", where=where, fix=fix)
    artifacts: dict[str, Artifact | list[Artifact]] = {}
    for name, spec in task.inputs.artifacts.items():
        source = task.artifacts.get(name)
        value = None if source is None else _plain(source, scope, results)
        if value is not None:
            artifacts[name] = value
        elif not (whole or spec.optional):
            where = f"input `{name}` of task `{task.label}`"
            raise BadInputError("required artifact is missing", where=where)
    return Inputs(parameters=parameters, artifacts=artifacts)


def _typed(value: Any, spec: ParameterSpec, where: str) -> Any:
    text = spec.type == "STRING" and not isinstance(value, str)
    return as_text(value) if text else convert(value, spec.type, where)


@dataclass(frozen=True, slots=True)
class _Resolution:
    task: Task
    scope: Values
    results: Mapping[str, Outcome]
    names: Mapping[str, str]

    def parameters(self) -> dict[str, Any]:
        """Return the values of all connected parameters; those that only texts show are among them."""
        sources = self.task.parameters.items()
        found = {name: self._value(source) for name, source in sources if not isinstance(source, Template)}
        known = {name: value for name, value in found.items() if value is not None}
        shown = {"inputs": {"parameterValues": known, "artifacts": {}}}
        for name, source in sources:
            if isinstance(source, Template):
                where = f"input `{name}` of task `{self.task.label}`"
                found[name] = fill_all(source.value, shown, where, self.names)
        return found

    def _value(self, source: Source) -> Any:
        if isinstance(source, (Constant, Template)):
            return source.value
        if isinstance(source, Part):
            return self._part(source)
        if isinstance(source, FinalStatus):
            return {
                "state": self.results[source.task].state, "pipelineTaskName": source.task,
                "pipelineJobResourceName": self.names["pipeline_job_resource_name"], "error": {},
            }  # fmt: skip
        return _plain(source, self.scope, self.results)

    def _part(self, part: Part) -> Any:
        value: Any = _plain(part.source, self.scope, self.results)
        try:
            value = json.loads(value) if isinstance(value, str) else value
            for key in part.keys:
                value = value[key]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            keys = "".join(f"[{key!r}]" for key in part.keys)
            where = f"task `{self.task.label}`"
            raise BadInputError(f"value has no {keys}", where=where, value=value) from error
        return value


def _plain(source: FromInput | FromTask, scope: Values, results: Mapping[str, Outcome]) -> Any:
    if isinstance(source, FromInput):
        return scope.get(source.name)
    return results[source.task].values.get(source.port)


def loop_items(task: Task, loop: Loop, inputs: Inputs) -> list[Any]:
    """Return the items of a loop.

    Args:
        task: The loop's task.
        loop: The loop.
        inputs: What it takes.

    Raises:
        BadInputError: There is no list, nor text that is one in JSON.
    """
    source = loop.items
    items = source.value if isinstance(source, Constant) else inputs.parameters.get(source.name)
    if isinstance(items, str):
        with suppress(ValueError):
            items = json.loads(items)
    if not isinstance(items, list):
        fix = "set the parameter behind it"
        raise BadInputError("has no list of items", where=f"loop `{task.label}`", value=items, fix=fix)
    return items


def graph_values(outputs: Mapping[str, tuple[FromTask, ...]], results: Mapping[str, Outcome]) -> Values:
    """Return what a graph gives: of each output the first source that was executed."""
    found: dict[str, Any] = {}
    for name, sources in outputs.items():
        given = [results[one.task].values for one in sources]
        values = [some[one.port] for some, one in zip(given, sources, strict=True) if one.port in some]
        if values:
            found[name] = values[0]
    return found

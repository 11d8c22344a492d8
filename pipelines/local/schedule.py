"""The order of things: a task starts when all that it depends on has succeeded."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from components.common.errors import BadInputError, ComponentError
from pipelines.local.content import Artifact
from pipelines.local.context import RunContext
from pipelines.local.exchange import Inputs
from pipelines.local.execute import TaskExecution
from pipelines.local.labels import iteration_label
from pipelines.local.plan import (
    Constant,
    Container,
    FromInput,
    Graph,
    Loop,
    Source,
    Task,
    container_tasks,
)
from pipelines.local.values import convert

Values = Mapping[str, Any]  # what a task or a graph gave, by port


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where in the run a graph is.

    Attributes:
        values: Inputs of the graph, parameters and artifacts; what is unset is absent.
        parent: Its execution in ML Metadata.
        iteration: Index in each loop around it, the outermost first.
    """

    values: Values
    parent: int
    iteration: tuple[int, ...] = field(default=())


class Schedule:
    """Executes graphs: independent tasks at once, the others one after the other.

    A task that failed lets those that run finish; what depends on it is skipped, and no further iteration
    of its loop starts.
    """

    def __init__(self, run: RunContext) -> None:
        """Schedule the tasks of a run."""
        self._run = run

    async def run_graph(self, graph: Graph, scope: Scope) -> Values | None:
        """Execute a graph.

        Returns:
            What it gives; None when a task of it did not succeed.
        """
        running: dict[str, asyncio.Task[Values | None]] = {}
        async with asyncio.TaskGroup() as group:
            for name, task in graph.tasks.items():  # in an order in which producers come first
                upstream = {producer: running[producer] for producer in sorted(task.after)}
                running[name] = group.create_task(self._run_task(task, graph, scope, upstream))
        results = {name: ended.result() for name, ended in running.items()}
        done = {name: values for name, values in results.items() if values is not None}
        if len(done) < len(results):
            return None
        return {name: done[source.task][source.port] for name, source in graph.outputs.items()}

    async def recorded(self, execution: int, work: Coroutine[Any, Any, Values | None]) -> Values | None:
        """Execute a graph and record in ML Metadata how its execution ended."""
        try:
            values = await work
        except asyncio.CancelledError:
            await self._run.lineage.call("end", execution, "CANCELED")
            raise
        await self._run.lineage.call("end", execution, "FAILED" if values is None else "COMPLETE")
        return values

    async def _run_task(
        self, task: Task, graph: Graph, scope: Scope, upstream: Mapping[str, asyncio.Task[Values | None]]
    ) -> Values | None:
        results: dict[str, Values] = {}
        for name, producer in upstream.items():
            values = await producer
            if values is None:
                self._skip(task, scope.iteration, f"`{graph.tasks[name].label}` did not succeed")
                return None
            results[name] = values
        if isinstance(task.work, Loop):
            return await self._run_loop(task, task.work, scope, results)
        return await self._run_container(task, task.work, scope, results)

    async def _run_container(
        self, task: Task, container: Container, scope: Scope, results: Mapping[str, Values]
    ) -> Values | None:
        execution = TaskExecution(self._run, task, container, scope.parent, scope.iteration)
        try:
            inputs = resolve_inputs(task, scope.values, results)
        except ComponentError as error:
            await execution.fail(error)
            return None
        outputs = await execution.run(inputs)
        return None if outputs is None else {**outputs.parameters, **outputs.artifacts}

    async def _run_loop(
        self, task: Task, loop: Loop, scope: Scope, results: Mapping[str, Values]
    ) -> Values | None:
        try:
            inputs = resolve_inputs(task, scope.values, results)
            items = _items(task, loop, inputs)
        except ComponentError as error:
            label = iteration_label(task.label, scope.iteration)
            self._run.progress.step(label, "failed", message=str(error), exit_code=error.exit_code)
            return None
        lineage = self._run.lineage
        execution = await lineage.call("begin_loop", task, loop, scope.parent, inputs, len(items))
        return await self.recorded(execution, self._run_items(task, loop, scope, inputs, execution, items))

    async def _run_items(
        self, task: Task, loop: Loop, scope: Scope, inputs: Inputs, execution: int, items: list[Any]
    ) -> Values | None:
        gate, failed = asyncio.Semaphore(loop.parallelism or max(1, len(items))), asyncio.Event()

        async def run_one(index: int, item: Any) -> Values | None:
            async with gate:
                iteration = (*scope.iteration, index)
                if failed.is_set():
                    self._skip(task, iteration, "another iteration did not succeed")
                    return None
                values = await self._run_iteration(task, loop, inputs, item, execution, iteration)
                if values is None:
                    failed.set()
                return values

        async with asyncio.TaskGroup() as group:
            running = [group.create_task(run_one(index, item)) for index, item in enumerate(items)]
        found = [values for ended in running if (values := ended.result()) is not None]
        if len(found) < len(items):
            return None
        return {name: [values[name] for values in found] for name in loop.body.outputs}

    async def _run_iteration(
        self, task: Task, loop: Loop, inputs: Inputs, item: Any, parent: int, iteration: tuple[int, ...]
    ) -> Values | None:
        inputs = Inputs(parameters={**inputs.parameters, loop.item: item}, artifacts=inputs.artifacts)
        begin = self._run.lineage.call("begin_iteration", task, loop, parent, inputs, iteration[-1])
        execution = await begin
        values = {**inputs.parameters, **inputs.artifacts}
        inner = Scope(values=values, parent=execution, iteration=iteration)
        return await self.recorded(execution, self.run_graph(loop.body, inner))

    def _skip(self, task: Task, iteration: tuple[int, ...], why: str) -> None:
        inside = container_tasks(task.work.body) if isinstance(task.work, Loop) else [(task, task.work)]
        for found, _ in inside:
            self._run.progress.step(iteration_label(found.label, iteration), "skipped", message=why)


def resolve_inputs(task: Task, scope: Values, results: Mapping[str, Values]) -> Inputs:
    """Give a task its inputs.

    Args:
        task: The task.
        scope: Inputs of the graph that it is in.
        results: What the tasks it depends on gave, by task and port.

    Returns:
        Its inputs in the types of its component, with defaults; what is unset is absent.

    Raises:
        BadInputError: A required input has no value, or a value has another type.
    """
    optional = isinstance(task.work, Loop)  # KFP calls all inputs of a loop required, unset ones too
    parameters: dict[str, Any] = {}
    for name, spec in task.inputs.parameters.items():
        where = f"input `{name}` of task `{task.label}`"
        value = _value(task.parameters.get(name), scope, results)
        value = spec.default if value is None else value
        if value is not None:
            parameters[name] = convert(value, spec.type, where)
        elif not (optional or spec.optional):
            fix = "set the parameter behind it"
            raise BadInputError("required input has no value", where=where, fix=fix)
    artifacts: dict[str, Artifact | list[Artifact]] = {}
    for name, spec in task.inputs.artifacts.items():
        value = _value(task.artifacts.get(name), scope, results)
        if value is not None:
            artifacts[name] = value
        elif not (optional or spec.optional):
            where = f"input `{name}` of task `{task.label}`"
            raise BadInputError("required artifact is missing", where=where)
    return Inputs(parameters=parameters, artifacts=artifacts)


def _value(source: Source | None, scope: Values, results: Mapping[str, Values]) -> Any:
    if source is None:
        return None
    if isinstance(source, Constant):
        return source.value
    if isinstance(source, FromInput):
        return scope.get(source.name)
    return results[source.task][source.port]


def _items(task: Task, loop: Loop, inputs: Inputs) -> list[Any]:
    source = loop.items
    items = source.value if isinstance(source, Constant) else inputs.parameters.get(source.name)
    if not isinstance(items, list):
        fix = "set the parameter behind it"
        raise BadInputError("has no list of items", where=f"loop `{task.label}`", value=items, fix=fix)
    return items

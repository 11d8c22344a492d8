"""The order of things: a task starts when all that it depends on has ended as it must."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from components.common.errors import ComponentError
from pipelines.local.context import RunContext
from pipelines.local.events import LoopStarted
from pipelines.local.exchange import Inputs
from pipelines.local.execute import TaskExecution
from pipelines.local.importing import import_artifact
from pipelines.local.labels import iteration_label
from pipelines.local.plan import Container, FromTask, Graph, Group, Loop, Task
from pipelines.local.resolution import Outcome, State, Values, graph_values, loop_items, resolve_inputs
from pipelines.local.walks import labels_in_loop, leaf_tasks


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where in the run a graph is.

    Attributes:
        values: Inputs of the graph, parameters and artifacts; what is unset is absent.
        parent: Its execution in ML Metadata.
        iteration: Index in each loop around it, the outermost first.
        lasting: What its tasks do holds when the run is gone on with; what was done after a failure does
            not, since it is done again after what is then executed.
    """

    values: Values
    parent: int
    iteration: tuple[int, ...] = field(default=())
    lasting: bool = True


class Schedule:
    """Executes graphs: independent tasks at once, the others one after the other.

    A task that failed lets those that run finish; what depends on it is skipped, and no further iteration
    of its loop starts. What depends on a task whose condition did not hold is skipped, and nothing failed.
    Exit tasks are executed however the tasks ahead of them ended, even after the run was cancelled.
    """

    def __init__(self, run: RunContext) -> None:
        """Schedule the tasks of a run."""
        self._run = run

    async def run_graph(self, graph: Graph, scope: Scope) -> Outcome:
        """Execute a graph."""
        running: dict[str, asyncio.Task[Outcome]] = {}
        async with asyncio.TaskGroup() as group:
            for name, task in graph.tasks.items():  # in an order in which producers come first
                upstream = {producer: running[producer] for producer in sorted(task.after)}
                running[name] = group.create_task(self._run_task(task, graph, scope, upstream))
        results = {name: ended.result() for name, ended in running.items()}
        if any(outcome.state == "FAILED" for outcome in results.values()):
            return Outcome(state="FAILED")
        return Outcome(state="COMPLETE", values=graph_values(graph.outputs, results))

    async def recorded(self, execution: int, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Execute a graph and record in ML Metadata how its execution ended."""
        try:
            outcome = await work
        except asyncio.CancelledError:
            await self._run.lineage.call("end", execution, "CANCELED")
            raise
        await self._run.lineage.call("end", execution, outcome.state)
        return outcome

    async def _run_task(
        self, task: Task, graph: Graph, scope: Scope, upstream: Mapping[str, asyncio.Task[Outcome]]
    ) -> Outcome:
        results = await (_all_ended(upstream) if task.always else _all_results(upstream))
        for state, why in _BLOCKING.items():
            blocking = [name for name, outcome in results.items() if outcome.state == state]
            if blocking and not task.always:
                self._skip(task, scope.iteration, f"`{graph.tasks[blocking[0]].label}` {why}")
                return Outcome(state=state)
        lasting = scope.lasting and all(outcome.state == "COMPLETE" for outcome in results.values())
        scope = replace(scope, lasting=lasting)
        names = {
            **self._run.names, "pipeline_task_name": task.name, "pipeline_task_uuid": str(scope.parent),
        }  # fmt: skip
        try:
            inputs = resolve_inputs(task, scope.values, results, names)
            where = f"task `{task.label}`"
            holds = task.condition is None or task.condition.holds(inputs.parameters, where)
        except ComponentError as error:
            return await self._fail(task, scope, error)
        if holds:
            return await self._perform(task, scope, inputs, names)
        await self._run.lineage.call("skip", task, scope.parent, inputs)
        self._skip(task, scope.iteration, "its condition does not hold")
        return Outcome(state="CANCELED")

    async def _perform(self, task: Task, scope: Scope, inputs: Inputs, names: Mapping[str, str]) -> Outcome:
        if isinstance(task.work, Loop):
            return await self._run_loop(task, task.work, scope, inputs)
        if isinstance(task.work, Group):
            return await self._run_group(task, task.work, scope, inputs)
        if isinstance(task.work, Container):
            execution = TaskExecution(
                self._run, task, task.work, scope.parent, scope.iteration, names, lasting=scope.lasting
            )
            outputs = await execution.run(inputs)
        else:
            outputs = await import_artifact(
                self._run, task, task.work, scope.parent, scope.iteration, inputs, names
            )
        if outputs is None:
            return Outcome(state="FAILED")
        return Outcome(state="COMPLETE", values={**outputs.parameters, **outputs.artifacts})

    async def _run_group(self, task: Task, group: Group, scope: Scope, inputs: Inputs) -> Outcome:
        execution = await self._run.lineage.call("begin_graph", task, scope.parent, inputs, {})
        values = {**inputs.parameters, **inputs.artifacts}
        inner = replace(scope, values=values, parent=execution)
        return await self.recorded(execution, self.run_graph(group.body, inner))

    async def _run_loop(self, task: Task, loop: Loop, scope: Scope, inputs: Inputs) -> Outcome:
        try:
            items = loop_items(task, loop, inputs)
        except ComponentError as error:
            return await self._fail(task, scope, error)
        labels = tuple(labels_in_loop(loop.body))
        self._run.progress.emit(LoopStarted(tasks=labels, count=len(items), within=scope.iteration))
        counts = {"iteration_count": len(items)}
        execution = await self._run.lineage.call("begin_graph", task, scope.parent, inputs, counts)
        inner = replace(scope, parent=execution)
        return await self.recorded(execution, self._run_items(task, loop, inner, inputs, items))

    async def _run_items(
        self, task: Task, loop: Loop, scope: Scope, inputs: Inputs, items: list[Any]
    ) -> Outcome:
        gate, failed = asyncio.Semaphore(loop.parallelism or max(1, len(items))), asyncio.Event()

        async def run_one(index: int, item: Any) -> Outcome:
            async with gate:
                iteration = (*scope.iteration, index)
                if failed.is_set():
                    self._skip(task, iteration, "another iteration did not succeed")
                    return Outcome(state="FAILED")
                inner = replace(scope, iteration=iteration)
                outcome = await self._run_iteration(task, loop, inputs, item, inner)
                if outcome.state == "FAILED":
                    failed.set()
                return outcome

        async with asyncio.TaskGroup() as group:
            running = [group.create_task(run_one(index, item)) for index, item in enumerate(items)]
        ended = [task.result() for task in running]
        if any(outcome.state == "FAILED" for outcome in ended):
            return Outcome(state="FAILED")
        values = {name: _collect(loop.body, name, ended) for name in loop.body.outputs}
        return Outcome(state="COMPLETE", values=values)

    async def _run_iteration(
        self, task: Task, loop: Loop, inputs: Inputs, item: Any, scope: Scope
    ) -> Outcome:
        inputs = Inputs(parameters={**inputs.parameters, loop.item: item}, artifacts=inputs.artifacts)
        counts = {"iteration_index": scope.iteration[-1]}
        execution = await self._run.lineage.call("begin_graph", task, scope.parent, inputs, counts)
        values = {**inputs.parameters, **inputs.artifacts}
        inner = replace(scope, values=values, parent=execution)
        return await self.recorded(execution, self.run_graph(loop.body, inner))

    async def _fail(self, task: Task, scope: Scope, error: ComponentError) -> Outcome:
        if isinstance(task.work, Container):
            names = self._run.names
            execution = TaskExecution(self._run, task, task.work, scope.parent, scope.iteration, names)
            await execution.fail(error)
        else:
            label = iteration_label(task.label, scope.iteration)
            self._run.progress.step(label, "failed", message=str(error), exit_code=error.exit_code)
        return Outcome(state="FAILED")

    def _skip(self, task: Task, iteration: tuple[int, ...], why: str) -> None:
        inside = leaf_tasks(task.work.body) if isinstance(task.work, (Group, Loop)) else [task]
        for found in inside:
            self._run.progress.step(iteration_label(found.label, iteration), "skipped", message=why)


_BLOCKING: Mapping[State, str] = {"FAILED": "did not succeed", "CANCELED": "was not executed"}


async def _all_results(upstream: Mapping[str, asyncio.Task[Outcome]]) -> dict[str, Outcome]:
    return {name: await producer for name, producer in upstream.items()}


async def _all_ended(upstream: Mapping[str, asyncio.Task[Outcome]]) -> dict[str, Outcome]:
    """Wait for tasks to end, past a cancellation of the run: an exit task is executed then too."""
    while not all(producer.done() for producer in upstream.values()):
        try:
            await asyncio.wait(upstream.values())
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
    return {
        name: Outcome(state="CANCELED") if producer.cancelled() else producer.result()
        for name, producer in upstream.items()
    }


def _collect(body: Graph, name: str, ended: list[Outcome]) -> list[Any]:
    """Return an output of all iterations: of loops inside loops one list, as KFP's backend makes it.

    See `CollectInputs` in `backend/src/v2/driver/resolve.go`.
    """
    found = [outcome.values[name] for outcome in ended if name in outcome.values]
    if _from_loop(body, body.outputs[name]):
        return [value for inside in found for value in inside]
    return found


def _from_loop(graph: Graph, sources: tuple[FromTask, ...]) -> bool:
    for source in sources:
        work = graph.tasks[source.task].work
        if isinstance(work, Loop):
            return True
        if isinstance(work, Group) and _from_loop(work.body, work.body.outputs[source.port]):
            return True
    return False

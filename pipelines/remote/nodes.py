"""Which task of a package each node of a run on Kubeflow is.

KFP's API tells of a run by the nodes of its Argo workflow, of which it gives the names for people and the
ids of the nodes below, but neither their own ids nor their pods' names. Argo makes an id from a node's full
name (`NodeID` of a workflow), and KFP's compiler makes that name from the package
(`backend/src/v2/compiler/argocompiler`), so both are computed here and held against what the API says. A
task that is in no loop is also known by its name alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.local.labels import iteration_label
from pipelines.local.plan import Container, Graph, Group, Loop, Plan, Task
from pipelines.local.walks import leaf_tasks
from pipelines.remote.pods import node_id

_ITERATION = re.compile(r"iteration-iterations\((\d+):\d+\)")
_MOST_PLACES = 20_000  # iterations of loops in loops that are looked for
_CACHED_SECONDS = 1.0  # a pod takes longer to begin; a task that does not is one whose pod was left out


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A task of the package, or one iteration of it, and the name of its Argo node.

    Attributes:
        task: The task.
        iteration: Indexes of the loops around it, the outermost first.
        path: Full name of its node; `.executor` below it is the pod.
    """

    task: Task
    iteration: tuple[int, ...]
    path: str

    @property
    def label(self) -> str:
        """The name that a local run would give it."""
        return iteration_label(self.task.label, self.iteration)


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A task of a run.

    Attributes:
        place: Which one.
        state: As the API has it, such as `RUNNING`.
        seconds: From its beginning to its end, or 0 when it has not ended.
        ended: When it ended, in seconds since 1970; 0 when it has not.
        pod: Id of the node that is its pod; where it may be tried again, pods are below that.
        is_driver: It is the step before the task, which looks up what the task takes.
        cached: Its results are those of an earlier task.
    """

    place: Place
    state: str
    seconds: float
    ended: float
    pod: str
    is_driver: bool = False
    cached: bool = False


def workflow_name(details: Sequence[Any]) -> str | None:
    """Return the name of the workflow behind a run's tasks; None when it has made no node."""
    for detail in details:
        for child in detail.child_tasks or ():
            if child.pod_name:
                return child.pod_name.rpartition("-")[0]
    return None


def read_nodes(details: Sequence[Any], plan: Plan) -> list[Node]:
    """Tell which tasks of a package have begun in a run.

    Args:
        details: The run's `task_details`.
        plan: Its package.

    Returns:
        The tasks in the order of the flow; of a task whose driver failed that driver.
    """
    workflow = workflow_name(details)
    if workflow is None:
        return []
    reading = _Reading(details, plan, workflow)
    found = (reading.node(place) for place in places(plan, workflow, iterations(details)))
    return [node for node in found if node is not None]


class _Reading:
    """The nodes of a run, by the ids of nodes below them and by their names."""

    def __init__(self, details: Sequence[Any], plan: Plan, workflow: str) -> None:
        self._workflow = workflow
        self._above = {child.pod_name: detail for detail in details for child in detail.child_tasks or ()}
        shown = Counter(detail.display_name for detail in details)
        self._named = {one.display_name: one for one in details if shown[one.display_name] == 1}
        self._tasks = Counter(task.name for task in leaf_tasks(plan.graph))

    def node(self, place: Place) -> Node | None:
        """Return a task that has begun, or None."""
        pod = node_id(self._workflow, f"{place.path}.executor")
        if pod in self._above:
            return _node(self._above[pod], place, pod)
        if place.iteration or self._tasks[place.task.name] > 1:
            return None  # of several with one name nobody knows which is meant
        if detail := self._named.get(place.task.name):
            below = [child.pod_name for child in detail.child_tasks or () if child.pod_name]
            if not isinstance(place.task.work, Container):  # an importer is its own pod
                below = [node_id(self._workflow, place.path)]
            return _node(detail, place, (below or [pod])[0])
        driver = self._named.get(f"{place.task.name}-driver")
        if driver is None or str(driver.state) != "FAILED":
            return None
        return _node(driver, place, node_id(self._workflow, f"{place.path}-driver"), is_driver=True)


def has_ended(details: Sequence[Any], name: str) -> bool:
    """Tell whether a graph of a run has ended; of several with its name nobody knows which is meant."""
    found = [detail for detail in details if detail.display_name == name]
    return len(found) == 1 and seconds_of(found[0].end_time) > 0


def iterations(details: Sequence[Any]) -> int:
    """Return how many iterations the widest loop of a run has begun."""
    names = (detail.display_name or "" for detail in details)
    numbers = [int(found[1]) for name in names if (found := _ITERATION.fullmatch(name))]
    return max(numbers, default=-1) + 1


def places(plan: Plan, workflow: str, width: int) -> Iterator[Place]:
    """Yield where the tasks of a package stand in its workflow, each iteration of a loop up to a width."""
    yield from _places(plan.graph, f"{workflow}.root", (), width)


def _places(graph: Graph, path: str, iteration: tuple[int, ...], width: int) -> Iterator[Place]:
    for task in graph.tasks.values():
        inside = f"{path}.{task.name}"
        if isinstance(task.work, Loop):
            if width ** (len(iteration) + 1) > _MOST_PLACES:
                continue
            for index in range(width):
                item = f"{inside}.iteration-iterations({index}:{index}).iteration-item"
                yield from _places(task.work.body, item, (*iteration, index), width)
        elif isinstance(task.work, Group):
            yield from _places(task.work.body, inside, iteration, width)
        else:
            yield Place(task=task, iteration=iteration, path=inside)


def _node(detail: Any, place: Place, pod: str, *, is_driver: bool = False) -> Node:
    began, ended = seconds_of(detail.start_time), seconds_of(detail.end_time)
    seconds = max(0.0, ended - began) if ended else 0.0
    state = str(detail.state or "RUNTIME_STATE_UNSPECIFIED")
    executes = isinstance(place.task.work, Container) and not is_driver
    quick = state == "SUCCEEDED" and ended > 0 and seconds <= _CACHED_SECONDS
    return Node(
        place=place, state=state, seconds=seconds, ended=ended, pod=pod, is_driver=is_driver,
        cached=executes and quick,
    )  # fmt: skip


def seconds_of(moment: datetime | None) -> float:
    """Return a time of the API in seconds since 1970; what has not happened is 0."""
    return max(0.0, moment.timestamp()) if moment is not None else 0.0

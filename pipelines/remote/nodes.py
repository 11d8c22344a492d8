"""Which task of a package each node of a run on Kubeflow is.

KFP's API tells of a run by the nodes of its Argo workflow, of which it gives the names for people and the
ids of the nodes below, but neither their own ids nor their pods' names. Argo makes an id from a node's full
name (`NodeID` of a workflow), and KFP's compiler makes that name from the package
(`backend/src/v2/compiler/argocompiler`), so both are computed here and held against what the API says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.local.labels import iteration_label
from pipelines.local.plan import Container, Graph, Group, Importer, Loop, Plan, Task

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
        is_driver: It is the step before the task, which looks up what the task takes.
        cached: Its results are those of an earlier task.
    """

    place: Place
    state: str
    seconds: float
    ended: float
    is_driver: bool = False
    cached: bool = False


def node_id(workflow: str, path: str) -> str:
    """Return the id that Argo gives a node: the workflow's name, and FNV-1a (32 bits) of its full name."""
    if path == workflow:
        return workflow
    number = 0x811C9DC5
    for byte in path.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{workflow}-{number}"


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
    above = {child.pod_name: detail for detail in details for child in detail.child_tasks or ()}
    found: list[Node] = []
    for place in places(plan, workflow, iterations(details)):
        if isinstance(place.task.work, Importer):
            found += _by_name(details, place, place.task.name)
            continue
        detail = above.get(node_id(workflow, f"{place.path}.executor"))
        if detail is not None:
            found.append(_node(detail, place))
        elif not place.iteration:
            found += [node for node in _by_name(details, place, place.task.name) if node.state == "SKIPPED"]
            drivers = _by_name(details, place, f"{place.task.name}-driver", is_driver=True)
            found += [node for node in drivers if node.state == "FAILED"]
    return found


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


def pod_names(
    place: Place, workflow: str, templates: Sequence[str], attempts: int, *, driver: bool
) -> list[str]:
    """Return the names that the pod of a task may have, the likeliest first.

    Args:
        place: The task.
        workflow: Name of the workflow.
        templates: What `pod_templates` found in the package.
        attempts: How often it was executed.
        driver: The step before it is meant.
    """
    if driver:
        ids = [node_id(workflow, f"{place.path}-driver")]
        templates = ["system-container-driver"]
    elif place.task.retry.limit:
        templates = [_retried(template) for template in templates]
        paths = [f"{place.path}.executor({number})" for number in reversed(range(attempts))]
        ids = [node_id(workflow, path) for path in paths]
    else:
        ids = [node_id(workflow, f"{place.path}.executor")]
    numbers = [found.rpartition("-")[2] for found in ids]
    return [f"{workflow}-{template}-{number}" for number, template in itertools.product(numbers, templates)]


def pod_templates(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of KFP's templates for pods, which count the labels and annotations of a package."""
    found = {"system-container-impl": None}
    for document in documents[1:]:
        platform = (document.get("platforms") or {}).get("kubernetes") or {}
        for executor in ((platform.get("deploymentSpec") or {}).get("executors") or {}).values():
            if metadata := executor.get("podMetadata"):
                counts = f"{len(metadata.get('annotations') or {})}-{len(metadata.get('labels') or {})}"
                found[f"metadata-{counts}-system-container-impl"] = None
    return sorted(found, reverse=True, key=len)


def _retried(template: str) -> str:
    return template.replace("system-container-impl", "retry-system-container-impl")


def _by_name(details: Sequence[Any], place: Place, name: str, *, is_driver: bool = False) -> list[Node]:
    """Find a node that nothing but its name tells of; of several nobody knows which is meant."""
    found = [detail for detail in details if detail.display_name == name]
    return [_node(found[0], place, is_driver=is_driver)] if len(found) == 1 else []


def _node(detail: Any, place: Place, *, is_driver: bool = False) -> Node:
    began, ended = seconds_of(detail.start_time), seconds_of(detail.end_time)
    seconds = max(0.0, ended - began) if ended else 0.0
    state = str(detail.state or "RUNTIME_STATE_UNSPECIFIED")
    executes = isinstance(place.task.work, Container) and not is_driver
    quick = state == "SUCCEEDED" and ended > 0 and seconds <= _CACHED_SECONDS
    return Node(
        place=place, state=state, seconds=seconds, ended=ended, is_driver=is_driver,
        cached=executes and quick,
    )  # fmt: skip


def seconds_of(moment: datetime | None) -> float:
    """Return a time of the API in seconds since 1970; what has not happened is 0."""
    return max(0.0, moment.timestamp()) if moment is not None else 0.0

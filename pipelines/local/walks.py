"""Which tasks a plan holds, those of graphs inside graphs too."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.local.plan import Container, Graph, Group, Loop, Task


def leaf_tasks(graph: Graph) -> Iterator[Task]:
    """Yield all tasks that are no graphs themselves, in the order of the flow."""
    for task in graph.tasks.values():
        if isinstance(task.work, (Group, Loop)):
            yield from leaf_tasks(task.work.body)
        else:
            yield task


def labels_in_loop(body: Graph) -> Iterator[str]:
    """Yield the labels of the tasks that a loop executes once per item: none of the loops inside it."""
    for task in body.tasks.values():
        if isinstance(task.work, Group):
            yield from labels_in_loop(task.work.body)
        elif not isinstance(task.work, Loop):
            yield task.label


def container_tasks(graph: Graph) -> Iterator[tuple[Task, Container]]:
    """Yield all tasks that execute a command, those inside graphs too, in the order of the flow."""
    for task in leaf_tasks(graph):
        if isinstance(task.work, Container):
            yield task, task.work

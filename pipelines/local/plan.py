"""What is to be done: a compiled package as typed values, with nothing left that cannot be executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterSpec:
    """A parameter of a component or of the pipeline.

    Attributes:
        type: KFP's name of its type, such as `NUMBER_INTEGER`.
        optional: It may be absent.
        default: Its value when absent; None when it has none.
    """

    type: str
    optional: bool
    default: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactSpec:
    """An artifact that a component takes or gives.

    Attributes:
        title: Schema title, such as `system.Model`.
        version: Schema version.
        many: It is a list of artifacts.
        optional: It may be absent.
    """

    title: str
    version: str
    many: bool
    optional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """One side of a component."""

    parameters: Mapping[str, ParameterSpec]
    artifacts: Mapping[str, ArtifactSpec]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the package."""

    value: Any


@dataclass(frozen=True, slots=True)
class FromInput:
    """An input of the graph that the task is in."""

    name: str


@dataclass(frozen=True, slots=True)
class FromTask:
    """An output of another task of the same graph."""

    task: str
    port: str


Source = Constant | FromInput | FromTask


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A command to execute.

    Attributes:
        image: Reference that the package names.
        command: Command and arguments; placeholders are still in it.
        environment: Variables that the package sets.
    """

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """A graph that is executed once per item.

    Attributes:
        item: Input of the graph that takes the item.
        items: The list: written in the package, or an input parameter of the loop task.
        parallelism: Iterations at once, or None for all.
        body: The graph.
    """

    item: str
    items: Constant | FromInput
    parallelism: int | None
    body: Graph


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One node of a graph.

    Attributes:
        name: Its key in the package, unique in its graph.
        label: Name for people, files and records, unique in the package.
        display_name: What the package calls it.
        inputs: What its component takes.
        outputs: What its component gives.
        parameters: Where each connected parameter comes from.
        artifacts: Where each connected artifact comes from.
        after: Tasks of the same graph that must have succeeded.
        caching: Its results may be reused.
        work: What it does.
    """

    name: str
    label: str
    display_name: str
    inputs: Ports
    outputs: Ports
    parameters: Mapping[str, Source]
    artifacts: Mapping[str, FromInput | FromTask]
    after: frozenset[str]
    caching: bool
    work: Container | Loop


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """Tasks in an order in which each follows those it depends on, and what the graph gives."""

    tasks: Mapping[str, Task]
    outputs: Mapping[str, FromTask]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A package that was read and can be executed.

    Attributes:
        pipeline: Name of the pipeline.
        inputs: Its parameters.
        graph: Its tasks.
        notices: What the package asks for and has no meaning here.
        digest: sha256 of the package file.
    """

    pipeline: str
    inputs: Mapping[str, ParameterSpec]
    graph: Graph
    notices: tuple[str, ...]
    digest: str


def container_tasks(graph: Graph) -> Iterator[tuple[Task, Container]]:
    """Yield all tasks that execute a command, those inside loops too, in the order of the flow."""
    for task in graph.tasks.values():
        if isinstance(task.work, Container):
            yield task, task.work
        else:
            yield from container_tasks(task.work.body)

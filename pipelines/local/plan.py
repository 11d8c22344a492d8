"""What is to be done: a compiled package as typed values, with nothing left that cannot be executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.conditions import Condition
from pipelines.local.secrets.wanted import Wanted


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


@dataclass(frozen=True, slots=True)
class Template:
    """A value of the package with placeholders in its texts."""

    value: Any


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a value.

    Attributes:
        source: Where the value comes from.
        keys: Keys of mappings and indexes of lists, the outermost first.
    """

    source: FromInput | FromTask
    keys: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FinalStatus:
    """How another task of the same graph ended."""

    task: str


Source = Constant | Template | FromInput | FromTask | Part | FinalStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A command to execute.

    Attributes:
        image: Reference that the package names.
        command: Command and arguments; placeholders are still in it.
        environment: Variables that the package sets.
        timeout: Seconds after which an attempt is ended, or None.
        memory_bytes: What it says it needs of memory, 0 when it does not say.
        wanted: Secrets and config maps.
    """

    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    timeout: float | None = None
    memory_bytes: int = 0
    wanted: tuple[Wanted, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Importer:
    """An artifact that exists already and is taken into the run.

    Attributes:
        uri: Where it is: written in the package, or an input parameter of the task.
        port: Output that gives it.
        metadata: What is said about it; placeholders are still in it.
        reimport: Record it anew even when it is known.
        to_workspace: Tasks get a copy of it, in the workspace.
    """

    uri: Constant | FromInput
    port: str
    metadata: Mapping[str, Any]
    reimport: bool
    to_workspace: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A graph inside a graph: a nested pipeline, a branch, the body of an exit handler.

    Attributes:
        body: The graph.
    """

    body: Graph


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
class Retry:
    """What happens to a task that failed.

    Attributes:
        limit: How often it is tried again.
        wait: Seconds before the first further attempt.
        factor: Each wait is this much longer than the one before.
        within: Seconds since the first attempt after which there is no further one.
    """

    limit: int = 0
    wait: float = 0.0
    factor: float = 2.0
    within: float = 3600.0


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
        condition: It is executed only when this holds; None for always.
        always: It is executed however the tasks ahead of it ended.
        retry: What happens when it fails.
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
    work: Container | Importer | Group | Loop
    condition: Condition | None = None
    always: bool = False
    retry: Retry = field(default_factory=Retry)


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """Tasks in an order in which each follows those it depends on, and what the graph gives.

    Attributes:
        tasks: By name.
        outputs: Which tasks may give each output; the first that was executed does.
    """

    tasks: Mapping[str, Task]
    outputs: Mapping[str, tuple[FromTask, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A package that was read and can be executed.

    Attributes:
        pipeline: Name of the pipeline.
        inputs: Its parameters.
        graph: Its tasks.
        notices: What the package asks for and has no meaning here.
        digest: sha256 of the package file.
        workspace: The tasks share a folder.
    """

    pipeline: str
    inputs: Mapping[str, ParameterSpec]
    graph: Graph
    notices: tuple[str, ...]
    digest: str
    workspace: bool = False

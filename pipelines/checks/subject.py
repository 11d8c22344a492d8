"""What rules look at: a package as steps, a manifest as pods, and the containers of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.plan import Plan
from pipelines.local.refusal import Problems

Content = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A container, of a task or of a pod.

    Attributes:
        task: Of a package: the task.
        field: Path of the container, inside the task or the document.
        image: Its reference; None when it is none, or given elsewhere.
        command: Command and arguments.
        amounts: What it asks for, by `cpu request`, `cpu limit`, `memory request`, `memory limit`; None
            when nothing is said.
    """

    task: str | None
    field: str
    image: str | None
    command: tuple[str, ...]
    amounts: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A task of a package, at whatever depth.

    Attributes:
        path: Names of tasks, the outermost first.
        label: Its name, unique in the package.
        task: The task.
        component: What it executes.
        siblings: The tasks of its graph, by name; itself too.
        container: The container; empty for graphs and importers.
        settings: What the package says of its pod, for Kubernetes.
    """

    path: tuple[str, ...]
    label: str
    task: Content
    component: Content
    siblings: Mapping[str, Content]
    container: Content
    settings: Content


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A compiled package.

    Attributes:
        content: The first document.
        steps: All tasks.
        plan: As the embedded runner reads it.
        problems: What no runner, or not the embedded one, can execute.
        component: It is a single component, whose tasks' settings belong to the pipeline that takes it.
        local: It lies in a file of its own, which the embedded runner takes.
        boxes: Containers of the tasks.
    """

    content: Content
    steps: tuple[Step, ...]
    plan: Plan
    problems: Problems
    component: bool
    local: bool
    boxes: tuple[Box, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pod:
    """A pod that a manifest describes.

    Attributes:
        field: Path of its spec.
        metadata: Its labels and annotations.
        spec: Its spec.
        partial: Others fill it in: the controller that reads it adds what the pod itself says.
    """

    field: str
    metadata: Content
    spec: Content
    partial: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """An object of Kubernetes.

    Attributes:
        content: The object.
        kind: Its kind.
        pods: What it makes pods of.
        boxes: Containers of the pods.
        beside: All objects that were given together.
    """

    content: Content
    kind: str
    pods: tuple[Pod, ...]
    boxes: tuple[Box, ...]
    beside: list[Content] = field(default_factory=list["Content"])


Subject = Package | Manifest

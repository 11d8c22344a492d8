"""A compiled package as steps and containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.checks.content import at, listed, mapping, text
from pipelines.checks.subject import Box, Content, Package, Step
from pipelines.local.labels import label_tasks
from pipelines.local.reading import inspect_documents

# Newer packages write what people wrote, older ones numbers; the former count.
_AMOUNTS = {
    "cpu request": ("resourceCpuRequest", "cpuRequest"),
    "cpu limit": ("resourceCpuLimit", "cpuLimit"),
    "memory request": ("resourceMemoryRequest", "memoryRequest"),
    "memory limit": ("resourceMemoryLimit", "memoryLimit"),
}


def parse_package(documents: list[Any], *, where: str, local: bool) -> Package:
    """Parse a pipeline and its settings for Kubernetes.

    Args:
        documents: The pipeline, then perhaps settings.
        where: The file, for errors.
        local: It lies in a file of its own, which the embedded runner takes.

    Raises:
        BadInputError: It is no well-formed package.
    """
    plan, problems = inspect_documents(documents, where=where, digest="")
    content = documents[0]
    settings: dict[str, Any] = {}
    for document in documents[1:]:
        settings.update(mapping(document, "platforms", "kubernetes", "deploymentSpec", "executors"))
    steps = tuple(_steps(content, settings))
    return Package(
        content=content, steps=steps, plan=plan, problems=problems, component=_is_component(content),
        local=local, boxes=tuple(_box(step) for step in steps if step.container),
    )  # fmt: skip


def _steps(content: Content, settings: Content) -> Iterator[Step]:
    components = mapping(content, "components")
    tasks = mapping(content, "root", "dag", "tasks")
    labels = label_tasks(tasks, components)

    def walk(tasks: Content, path: tuple[str, ...]) -> Iterator[Step]:
        for name, task in tasks.items():
            component = mapping(components, at(task, "componentRef", "name"))
            executor = at(component, "executorLabel")
            here = (*path, name)
            yield Step(
                path=here, label=labels[here], task=task, component=component, siblings=tasks,
                container=mapping(content, "deploymentSpec", "executors", executor, "container"),
                settings=mapping(settings, executor),
            )  # fmt: skip
            yield from walk(mapping(component, "dag", "tasks"), here)

    return walk(tasks, ())


def _box(step: Step) -> Box:
    container, resources = step.container, mapping(step.container, "resources")
    command = [*listed(container, "command"), *listed(container, "args")]
    return Box(
        task=step.label, field="container", image=text(container, "image"),
        command=tuple(part for part in command if isinstance(part, str)),
        amounts={
            what: next((resources[key] for key in keys if resources.get(key)), None)
            for what, keys in _AMOUNTS.items()
        },
    )  # fmt: skip


def _is_component(content: Content) -> bool:
    """Tell whether it is what KFP makes of a single component: one task, fed by inputs of equal names."""
    tasks = mapping(content, "root", "dag", "tasks")
    if list(tasks) != [at(content, "pipelineInfo", "name")]:
        return False
    inputs = mapping(next(iter(tasks.values())), "inputs")
    sources = {**mapping(inputs, "parameters"), **mapping(inputs, "artifacts")}
    return all(name in mapping(source).values() for name, source in sources.items())

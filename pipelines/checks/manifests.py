"""An object of Kubernetes as pods and containers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.checks.content import at, listed, mapping, text
from pipelines.checks.subject import Box, Content, Manifest, Pod

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")

# Where the pod's template lies; its labels and annotations are in `metadata` beside its `spec`.
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
# KServe's controller makes pods of these, and adds to them.
_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime", "ClusterStorageContainer")
_PREDICTORS = ("predictor", "transformer", "explainer")


def parse_manifest(content: Content, beside: Sequence[Content]) -> Manifest:
    """Parse an object.

    Args:
        content: The object.
        beside: All objects that were given together.
    """
    pods = tuple(_pods(content))
    boxes = tuple(box for pod in pods for box in _boxes(pod))
    return Manifest(content=content, kind=str(content["kind"]), pods=pods, boxes=boxes, beside=list(beside))


def title(content: object) -> str:
    """Return `Kind/name` of an object."""
    metadata = mapping(content, "metadata")
    return f"{at(content, 'kind')}/{metadata.get('name') or metadata.get('generateName')}"


def _pods(content: Content) -> Iterator[Pod]:
    kind = str(content["kind"])
    if kind in _TEMPLATES:
        path = _TEMPLATES[kind]
        yield Pod(
            field=".".join((*path, "spec")), metadata=mapping(content, *path, "metadata"),
            spec=mapping(content, *path, "spec"),
        )  # fmt: skip
    elif kind in _RUNTIMES:
        yield Pod(field="spec", metadata={}, spec=mapping(content, "spec"), partial=True)
    elif kind == "InferenceService":
        for part in _PREDICTORS:
            if spec := mapping(content, "spec", part):
                yield Pod(
                    field=f"spec.{part}", metadata={}, spec=spec, partial=not listed(spec, "containers")
                )


def containers(pod: Pod) -> Iterator[tuple[str, Content]]:
    """Yield the containers of a pod, each with its path in the document."""
    for key in CONTAINERS:
        for index, container in enumerate(listed(pod.spec, key)):
            yield f"{pod.field}.{key}[{index}]", mapping(container)
    if alone := mapping(pod.spec, "container"):  # of a ClusterStorageContainer
        yield f"{pod.field}.container", alone


def _boxes(pod: Pod) -> Iterator[Box]:
    for field, container in containers(pod):
        resources: dict[str, Any] = {
            f"{what} {side[:-1]}": at(container, "resources", side, what)
            for what in ("cpu", "memory")
            for side in ("requests", "limits")
        }
        command = [*listed(container, "command"), *listed(container, "args")]
        yield Box(
            task=None, field=field, image=text(container, "image"),
            command=tuple(str(part) for part in command), amounts=resources,
        )  # fmt: skip

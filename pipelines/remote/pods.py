"""The names of the pods of a run on Kubeflow, as Argo and KFP's compiler make them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.local.plan import Importer

if TYPE_CHECKING:
    from pipelines.remote.nodes import Node

_IMPL = "system-container-impl"


def node_id(workflow: str, path: str) -> str:
    """Return the id that Argo gives a node: the workflow's name, and FNV-1a (32 bits) of its full name."""
    if path == workflow:
        return workflow
    number = 0x811C9DC5
    for byte in path.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{workflow}-{number}"


def pod_names(node: Node, documents: Sequence[Mapping[str, Any]], known: frozenset[str]) -> list[str]:
    """Return the names that the pod of a task may have, the likeliest first.

    Args:
        node: The task.
        documents: The run's package.
        known: Ids of nodes that the API tells of.
    """
    workflow, _, number = node.pod.rpartition("-")
    templates, numbers = _templates(documents), [number]
    if node.is_driver:
        templates = ["system-container-driver"]
    elif isinstance(node.place.task.work, Importer):
        templates = ["system-importer"]
    elif limit := node.place.task.retry.limit:
        templates = [template.replace(_IMPL, f"retry-{_IMPL}") for template in templates]
        tries = [node_id(workflow, f"{node.place.path}.executor({one})") for one in range(limit + 1)]
        numbers = [one.rpartition("-")[2] for one in reversed(tries) if one in known]
    return [f"{workflow}-{template}-{one}" for one, template in itertools.product(numbers, templates)]


def _templates(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of KFP's templates for pods, which count the labels and annotations of a task."""
    found = {_IMPL: None}
    for document in documents[1:]:
        platform = (document.get("platforms") or {}).get("kubernetes") or {}
        for executor in ((platform.get("deploymentSpec") or {}).get("executors") or {}).values():
            if metadata := executor.get("podMetadata"):
                counts = f"{len(metadata.get('annotations') or {})}-{len(metadata.get('labels') or {})}"
                found[f"metadata-{counts}-{_IMPL}"] = None
    return sorted(found, reverse=True, key=len)

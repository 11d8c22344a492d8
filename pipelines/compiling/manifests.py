"""Pipelines as objects of Kubernetes, for git: a `Pipeline`, and a `PipelineVersion` named by content."""

from __future__ import annotations

from typing import Any

import yaml

from pipelines.compiling.package import version_name

API = "pipelines.kubeflow.org/v2beta1"
_WAVE = "argocd.argoproj.io/sync-wave"


def manifests_text(package: str) -> str:
    """Return the manifests of a package, for a KFP that keeps its pipelines in Kubernetes.

    No namespace is in them: who applies them says.

    Args:
        package: What `package_text` gives.
    """
    return yaml.safe_dump_all(manifests(package), sort_keys=True)


def manifests(package: str) -> list[dict[str, Any]]:
    """Return the `Pipeline` and the `PipelineVersion` of a package.

    A version's spec cannot be changed, so its name changes with its content. It is refused while its
    pipeline is missing, so Argo CD is told to apply that first.

    Args:
        package: What `package_text` gives.
    """
    spec, *platform = yaml.safe_load_all(package)
    name, description = spec["pipelineInfo"]["name"], spec["pipelineInfo"]["description"]
    version = version_name(name, package)
    about = {"description": description, "displayName": name}
    content: dict[str, Any] = {
        "description": description, "displayName": version, "pipelineName": name, "pipelineSpec": spec,
    }  # fmt: skip
    if platform:
        content["platformSpec"] = platform[0]
    return [
        _object("Pipeline", name, about, wave=0),
        _object("PipelineVersion", version, content, wave=1),
    ]


def _object(kind: str, name: str, spec: dict[str, Any], *, wave: int) -> dict[str, Any]:
    metadata = {"name": name, "annotations": {_WAVE: str(wave)}}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}

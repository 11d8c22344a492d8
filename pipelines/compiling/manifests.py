"""Pipelines as objects of Kubernetes, for git: a `Pipeline`, and a `PipelineVersion` named by content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from components.common.storage import publishing
from pipelines.build import Build
from pipelines.compiling.package import package_text, version_name

API = "pipelines.kubeflow.org/v2beta1"
_WAVE = "argocd.argoproj.io/sync-wave"


def compile_manifests(name: str, build: Build, folder: Path) -> Path:
    """Compile one of our pipelines into manifests, for a KFP that keeps pipelines in Kubernetes.

    Args:
        name: One of `PIPELINES`.
        build: Build options.
        folder: Where `<name>.yaml` is written.

    Returns:
        The file's path. The same inputs give the same bytes. No namespace is in it: who applies it says.

    Raises:
        BadInputError: As `package_text`.
    """
    file = folder / f"{name}.yaml"
    documents = manifests(package_text(name, build))
    with publishing(file) as out:
        out.write_text(yaml.safe_dump_all(documents, sort_keys=True), encoding="utf-8")
    return file


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

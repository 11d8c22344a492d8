"""The documents behind the pipeline: settings for Kubernetes, of which few mean something here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.refusal import Problems
from pipelines.local.secrets.wanted import SETTINGS, Wanted, read_wanted

_ON_PODS = (
    "tolerations", "nodeSelector", "nodeAffinity", "podAffinity", "podMetadata", "imagePullPolicy",
    "imagePullSecret", "securityContext", "enabledSharedMemory",
)  # fmt: skip
_ON_PIPELINES = ("resourceTtlOnCompletion", "resourceTtlOnSuccess", "resourceTtlOnFailure")


@dataclass(kw_only=True)
class ClusterSettings:
    """Settings that mean something on one machine.

    Attributes:
        workspace: The tasks share a folder.
        timeouts: Seconds that an attempt may take, by executor.
        wanted: Secrets and config maps, by executor.
    """

    workspace: bool = False
    timeouts: dict[str, float] = field(default_factory=dict[str, float])
    wanted: dict[str, tuple[Wanted, ...]] = field(default_factory=dict[str, tuple[Wanted, ...]])


def read_cluster_settings(documents: Sequence[Mapping[str, Any]], problems: Problems) -> ClusterSettings:
    """Read the documents behind the first; what changes a task and is not done here is a problem."""
    found = ClusterSettings()
    for document in documents:
        problems.keys(document, ("platforms",), "platform settings")
        platforms = document.get("platforms") or {}
        problems.keys(platforms, ("kubernetes",), "platform settings")
        kubernetes = platforms.get("kubernetes") or {}
        problems.keys(kubernetes, ("deploymentSpec", "pipelineConfig"), "settings for Kubernetes")
        config = kubernetes.get("pipelineConfig") or {}
        problems.keys(config, ("workspace",), "pipeline settings", harmless=_ON_PIPELINES)
        found.workspace = found.workspace or bool(config.get("workspace"))
        executors = (kubernetes.get("deploymentSpec") or {}).get("executors") or {}
        for name, settings in executors.items():
            _read_executor(name, settings or {}, found, problems)
    return found


def _read_executor(
    name: str, settings: Mapping[str, Any], found: ClusterSettings, problems: Problems
) -> None:
    place = f"settings of `{name}` for Kubernetes"
    problems.keys(settings, ("activeDeadlineSeconds", *SETTINGS), place, harmless=_ON_PODS)
    found.wanted[name] = read_wanted(settings, place, problems)
    limit = settings.get("activeDeadlineSeconds")
    if limit is None:
        return
    try:
        found.timeouts[name] = float(limit)
    except (TypeError, ValueError):
        problems.refuse("activeDeadlineSeconds", place, limit)

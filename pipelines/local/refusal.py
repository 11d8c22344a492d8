"""The walls of the embedded runner: what a package may not ask for, called by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from components.common.errors import BadInputError

SCHEMA_VERSION = "2.1.0"
_FIX = "run this package on Kubeflow Pipelines, or leave the construct out"

# Keys of the package that a person knows by another name.
_NAMES = {
    "condition": "a condition (dsl.If, dsl.Elif, dsl.Else)",
    "strategy": "an exit handler or ignore_upstream_failure",
    "artifactIterator": "a loop over artifacts",
    "importer": "an importer (dsl.importer)",
    "resolver": "a resolver",
    "customJob": "a custom job",
    "lifecycle": "a lifecycle hook",
    "valueFromOneof": "dsl.OneOf",
    "taskFinalStatus": "the final status of a task (dsl.PipelineTaskFinalStatus)",
    "parameterExpressionSelector": "a part of a value (item.key)",
    "cacheKey": "a custom cache key",
    "singlePlatformSpecs": "a component with its own platform settings",
    "taskConfigPassthroughs": "a task config passthrough",
    "literals": "a parameter limited to literals",
    "workspace": "a workspace",
    "activeDeadlineSeconds": "a timeout",
    "secretAsEnv": "a secret as a variable",
    "secretAsVolume": "a secret as a volume",
    "configMapAsEnv": "a config map as a variable",
    "configMapAsVolume": "a config map as a volume",
    "fieldPathAsEnv": "a field of the pod as a variable",
    "pvcMount": "a mounted volume claim",
    "emptyDirMounts": "a mounted empty folder",
    "genericEphemeralVolume": "an ephemeral volume",
}


def refused(what: str, where: str, value: object = None) -> BadInputError:
    """Return the error for a construct that this runner does not execute."""
    return BadInputError(f"the embedded runner does not execute {what}", where=where, value=value, fix=_FIX)


def refuse_key(key: str, where: str) -> BadInputError:
    """Return the error for a key of the package, by the name that people know."""
    return refused(_NAMES.get(key, f"`{key}`"), where)


def require_keys(
    content: Mapping[str, Any], known: Iterable[str], where: str, *, harmless: Iterable[str] = ()
) -> list[str]:
    """Refuse the first key that is neither read nor without meaning here.

    Args:
        content: A mapping of the package.
        known: Keys that the caller reads.
        where: Which part of the package this is.
        harmless: Keys that change nothing on one machine.

    Returns:
        The harmless keys that are there.

    Raises:
        BadInputError: Another key is there and says something.
    """
    allowed, ignored = set(known), set(harmless)
    for key, value in content.items():
        if key not in allowed | ignored and value not in (None, {}, [], ""):
            raise refuse_key(key, where)
    return [key for key in content if key in ignored]


def require_known_triggers(tasks: Mapping[str, Mapping[str, Any]], where: str) -> None:
    """Refuse conditions, exit handlers and retries ahead of what they compile into.

    Raises:
        BadInputError: A task is started by other rules than "all it depends on succeeded", or retried.
    """
    for name, task in tasks.items():
        place = f"{where}task `{name}`"
        for key in task.get("triggerPolicy") or {}:
            raise refuse_key(key, place)
        if float((task.get("retryPolicy") or {}).get("maxRetryCount") or 0) > 0:
            raise refused("retries (set_retry)", place)


# Settings of pods that change nothing about what a task computes.
_HARMLESS_ON_PODS = (
    "tolerations", "nodeSelector", "nodeAffinity", "podAffinity", "podMetadata", "imagePullPolicy",
    "imagePullSecret", "securityContext", "enabledSharedMemory",
)  # fmt: skip


def read_platform(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Check the documents behind the first: settings for Kubernetes.

    Returns:
        Keys of settings that have no meaning on one machine, each once.

    Raises:
        BadInputError: A setting changes what a task does, or the platform is another one.
    """
    ignored: list[str] = []
    for document in documents:
        require_keys(document, ("platforms",), "platform settings")
        platforms = document.get("platforms") or {}
        require_keys(platforms, ("kubernetes",), "platform settings")
        kubernetes = platforms.get("kubernetes") or {}
        require_keys(kubernetes, ("deploymentSpec", "pipelineConfig"), "settings for Kubernetes")
        lasting = ("resourceTtlOnCompletion", "resourceTtlOnSuccess", "resourceTtlOnFailure")
        ignored += require_keys(
            kubernetes.get("pipelineConfig") or {}, (), "pipeline settings", harmless=lasting
        )
        executors = (kubernetes.get("deploymentSpec") or {}).get("executors") or {}
        for name, settings in executors.items():
            place = f"settings of `{name}` for Kubernetes"
            ignored += require_keys(settings or {}, (), place, harmless=_HARMLESS_ON_PODS)
    return list(dict.fromkeys(ignored))

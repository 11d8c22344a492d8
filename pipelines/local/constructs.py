"""What packages may ask for, in three lists: honoured, without meaning on one machine, refused by name.

`millrace check` prints them; the reader of packages uses them. A key in none of them is refused too.
"""

from __future__ import annotations

from collections.abc import Mapping

SCHEMA_VERSION = "2.1.0"

HONOURED: tuple[str, ...] = (
    "parameters of all types, defaults, unset optional inputs, numbers as KFP's JSON carries them",
    "outputs of tasks: parameters and artifacts, listed, collected (dsl.Collected), one of (dsl.OneOf)",
    "conditions (dsl.If, dsl.Elif, dsl.Else), nested",
    "loops (dsl.ParallelFor) over lists, outputs and fields of items, nested, with their parallelism",
    "nested pipelines, and what a pipeline returns",
    "exit handlers, ignore_upstream_failure and dsl.PipelineTaskFinalStatus",
    "importers (dsl.importer) of paths on this machine: metadata, reimport, a copy in the workspace",
    "retries with back-off (set_retry) and timeouts (kubernetes.set_timeout)",
    "container components: command, args, IfPresent, Concat, variables",
    "f-strings over parameters, and the job's placeholders",
    "a workspace (dsl.WorkspaceConfig): a folder of the run",
    "caching options, order by .after, display names",
    "secrets and config maps (--secret, --config-map) as variables, and as folders that lie in their place",
)

# Keys that change nothing about what a task computes, by what people call them.
MEANINGLESS: Mapping[str, str] = {
    "resources": "requests and limits of memory, processors and accelerators",
    "defaultPipelineRoot": "the pipeline's root in an object store",
    "tolerations": "tolerations",
    "nodeSelector": "node selection",
    "nodeAffinity": "node affinity",
    "podAffinity": "pod affinity",
    "podMetadata": "labels and annotations of pods",
    "imagePullPolicy": "the pull policy of images",
    "imagePullSecret": "pull secrets of images",
    "securityContext": "the security context of pods",
    "enabledSharedMemory": "shared memory of pods",
    "resourceTtlOnCompletion": "lifetime of the run's objects",
    "resourceTtlOnSuccess": "lifetime of the run's objects after success",
    "resourceTtlOnFailure": "lifetime of the run's objects after failure",
}

# Keys, and rules that have no key of their own, by what people call them.
REFUSED: Mapping[str, str] = {
    "schemaVersion": f"a schema version other than {SCHEMA_VERSION}",
    "artifactIterator": "a loop over artifacts",
    "resolver": "a resolver",
    "customJob": "a custom job",
    "lifecycle": "a lifecycle hook",
    "cacheKey": "a custom cache key",
    "singlePlatformSpecs": "a component with its own platform settings",
    "taskConfigPassthroughs": "a task config passthrough",
    "literals": "a parameter limited to literals",
    "properties": "properties of an importer other than its metadata",
    "customProperties": "properties of an importer other than its metadata",
    "secret-name-parameter": "a secret or a config map named by a parameter",
    "fieldPathAsEnv": "a field of the pod as a variable",
    "pvcMount": "a mounted volume claim",
    "emptyDirMounts": "a mounted empty folder",
    "genericEphemeralVolume": "an ephemeral volume",
    "pipelineRunParallelism": "a limit of parallel tasks of the whole run",
    "semaphoreKey": "a semaphore between runs",
    "mutexName": "a mutex between runs",
    "activeDeadlineSeconds": "a deadline given by a parameter, or one of the whole run",
    "entry-point": "an image's own entry point",
    "graph-retry": "retries of a graph or an importer (set_retry)",
    "graph-iterator": "a loop without a graph of its own",
    "graph-artifact-input": "artifacts as inputs of a pipeline",
    "image-parameter": "an image or a variable given by a parameter",
    "importer-scheme": "an importer of something that is not a path on this machine",
    "parameter-type": "parameters of this type",
    "placeholder": "this placeholder",
    "selector": "this part of a value",
    "trigger": "this way to start a task",
}

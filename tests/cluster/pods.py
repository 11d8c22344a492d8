"""The pods that Millrace causes, as the platform makes them, written anew from reading its sources.

Executor pods: Kubeflow Pipelines 2.17.0, `backend/src/v2/compiler/argocompiler/container.go` (the
template) and `security_context.go` (what it adds), `backend/src/v2/driver/driver.go`, `initPodSpecPatch`
(image, command and resources) and `k8s.go`, `extendPodSpecPatch` (what the package's platform says); and
what Argo 4.0.5 puts in every pod, by its controller's settings in KFP
(`workflow-controller-configmap-patch.yaml`): the containers `init` and `wait`. Servers: KServe 0.20.0,
`pkg/webhook/admission/pod/storage_initializer_injector.go`. No code of theirs runs here; that a real KFP
or KServe makes the same pods is not shown by these tests.
"""

import copy
from typing import Any

HARDENED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
SCRATCH = ("gcs", "s3", "minio", ".local", ".cache", ".config")
_LIMITS = {"cpu": "500m", "memory": "256Mi"}


def executor_pods(version: dict[str, Any]) -> dict[str, dict]:
    """The executor pods of a PipelineVersion, one a task, by its executor's name."""
    spec = version["spec"]
    executors = spec["pipelineSpec"]["deploymentSpec"]["executors"]
    settings = spec["platformSpec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {
        name: executor_pod(one["container"], settings[name], name)
        for name, one in executors.items()
        if "container" in one  # what KFP's importer does takes no pod of ours
    }


def executor_pod(container: dict[str, Any], settings: dict[str, Any], name: str) -> dict:
    """One executor pod: what the template has, what the driver patches in, what Argo adds."""
    launcher = {"name": "kfp-launcher", "mountPath": "/kfp-launcher"}
    scratch = [{"name": f"{each.strip('.')}-scratch", "mountPath": f"/{each}"} for each in SCRATCH]
    main: dict[str, Any] = {
        "name": "main", "image": container["image"], "command": ["/kfp-launcher/launch"],
        "args": [*container["command"], *container["args"]], "resources": _resources(container),
        "env": [*container.get("env", ()), *_variables(settings)],
        "securityContext": HARDENED | _user(settings),
        "volumeMounts": [launcher, *scratch],
    }  # fmt: skip
    volumes = [{"name": each["name"], "emptyDir": {}} for each in main["volumeMounts"]]
    for mount, volume in (*_secret_folders(settings), *_volumes(settings)):
        main["volumeMounts"].append(mount)
        volumes.append(volume)
    pod: dict[str, Any] = {
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "serviceAccountName": "millrace-run", "restartPolicy": "Never", "volumes": volumes,
        "initContainers": [_argo("init"), _launcher(launcher)], "containers": [_argo("wait"), main],
    }  # fmt: skip
    if seconds := settings.get("activeDeadlineSeconds"):
        pod["activeDeadlineSeconds"] = int(seconds)
    if selector := settings.get("nodeSelector"):
        pod["nodeSelector"] = selector["labels"]
    if tolerations := settings.get("tolerations"):
        pod["tolerations"] = tolerations
    labels = {"workflows.argoproj.io/workflow": "run", **settings.get("podMetadata", {}).get("labels", {})}
    about = {"name": name.removeprefix("exec-"), "namespace": "millrace", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": pod}


def server_pod(runtime: dict[str, Any], storage: dict[str, Any]) -> dict:
    """The pod of one server: a ServingRuntime, and before it the container that fetches the model.

    Args:
        runtime: Our ServingRuntime.
        storage: The container of KServe's ClusterStorageContainer.
    """
    spec = copy.deepcopy(runtime["spec"])
    server = spec["containers"][0]
    server["args"] = [each.replace("{{.Name}}", "flights") for each in server["args"]]
    server["volumeMounts"].append(
        {"name": "kserve-provision-location", "mountPath": "/mnt/models", "readOnly": True}
    )
    fetch = copy.deepcopy(storage) | {"args": ["s3://mlpipeline/model", "/mnt/models"]}
    fetch["volumeMounts"] = [{"name": "kserve-provision-location", "mountPath": "/mnt/models"}]
    pod = {
        "serviceAccountName": "millrace-server", "initContainers": [fetch], "containers": [server],
        "volumes": [*spec["volumes"], {"name": "kserve-provision-location", "emptyDir": {}}],
    }  # fmt: skip
    labels = {"serving.kserve.io/inferenceservice": "flights"}
    about = {"name": "flights-predictor", "namespace": "millrace-serving", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": pod}


def _argo(name: str) -> dict[str, Any]:
    settings = HARDENED | {"runAsNonRoot": True, "runAsUser": 65532}
    return {"name": name, "image": "quay.io/argoproj/argoexec:v4.0.5", "securityContext": settings}


def _launcher(mount: dict[str, str]) -> dict[str, Any]:
    return {
        "name": "kfp-launcher", "image": "ghcr.io/kubeflow/kfp-launcher:2.17.0", "command": ["launcher-v2"],
        "args": ["--copy", "/kfp-launcher/launch"], "volumeMounts": [mount],
        "resources": {"limits": _LIMITS, "requests": {"cpu": "100m"}},
        "securityContext": HARDENED | {"runAsNonRoot": True},
    }  # fmt: skip


def _resources(container: dict[str, Any]) -> dict[str, dict[str, str]]:
    told, found = container["resources"], {"limits": {}, "requests": {}}
    for kind, key in (("limits", "Limit"), ("requests", "Request")):
        for name in ("cpu", "memory"):
            if amount := told.get(f"resource{name.capitalize()}{key}"):
                found[kind][name] = amount
    if accelerator := told.get("accelerator"):
        found["limits"][accelerator["resourceType"]] = accelerator["resourceCount"]
    return found


def _user(settings: dict[str, Any]) -> dict[str, Any]:
    """What the package says of the user; protobuf writes 64 bits as text."""
    told = settings.get("securityContext", {})
    return {key: value if isinstance(value, bool) else int(value) for key, value in told.items()}


def _variables(settings: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for secret in settings.get("secretAsEnv", ()):
        name = _secret_name(secret)
        for pair in secret["keyToEnv"]:
            key = {"name": name, "key": pair["secretKey"], "optional": secret.get("optional", False)}
            found.append({"name": pair["envVar"], "valueFrom": {"secretKeyRef": key}})
    return found


def _secret_folders(settings: dict[str, Any]) -> list[tuple[dict, dict]]:
    found = []
    for secret in settings.get("secretAsVolume", ()):
        name, optional = _secret_name(secret), secret.get("optional", False)
        volume = {"name": name, "secret": {"secretName": name, "optional": optional}}
        found.append(({"name": name, "mountPath": secret["mountPath"]}, volume))
    return found


def _volumes(settings: dict[str, Any]) -> list[tuple[dict, dict]]:
    found = []
    for mount in settings.get("pvcMount", ()):
        name = _claim_name(mount)
        volume = {"name": name, "persistentVolumeClaim": {"claimName": name}}
        found.append(({"name": name, "mountPath": mount["mountPath"]}, volume))
    for mount in settings.get("emptyDirMounts", ()):
        kept = {key: mount[key] for key in ("medium", "sizeLimit") if key in mount}
        volume = {"name": mount["volumeName"], "emptyDir": kept}
        found.append(({"name": mount["volumeName"], "mountPath": mount["mountPath"]}, volume))
    return found


def _secret_name(secret: dict[str, Any]) -> str:
    return secret.get("secretName") or secret["secretNameParameter"]["runtimeValue"]["constant"]


def _claim_name(mount: dict[str, Any]) -> str:
    return mount.get("constant") or mount["pvcNameParameter"]["runtimeValue"]["constant"]

"""A pod that every rule accepts, and objects around it."""

import copy

IMAGE = f"registry.example/server@sha256:{'0' * 64}"
CONTAINER = {
    "name": "main", "image": IMAGE, "command": ["serve"],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}  # fmt: skip
SPEC = {"automountServiceAccountToken": False, "containers": [CONTAINER]}


# What *baseline*, and *restricted* beyond it, refuse: a field of the pod's spec for each control.
OWN = "containers/0/securityContext"
BASELINE = {
    "hostNetwork": True, "hostPID": True, "hostIPC": True,
    f"{OWN}/privileged": True,
    f"{OWN}/capabilities/add": ["SYS_ADMIN"],
    "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
    "containers/0/ports": [{"containerPort": 80, "hostPort": 80}],
    "containers/0/livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}},
    "containers/0/lifecycle": {"preStop": {"httpGet": {"host": "10.0.0.1", "port": 80}}},
    "securityContext/sysctls": [{"name": "kernel.msgmax", "value": "1"}],
    "securityContext/seLinuxOptions/user": "system_u",
    f"{OWN}/seLinuxOptions/type": "spc_t",
    f"{OWN}/procMount": "Unmasked",
    f"{OWN}/seccompProfile/type": "Unconfined",
    f"{OWN}/appArmorProfile/type": "Unconfined",
    "securityContext/windowsOptions/hostProcess": True,
}  # fmt: skip
RESTRICTED = {
    "volumes": [{"name": "v", "nfs": {"server": "s", "path": "/"}}],
    f"{OWN}/allowPrivilegeEscalation": None,
    f"{OWN}/runAsNonRoot": None,
    f"{OWN}/runAsUser": 0,
    f"{OWN}/seccompProfile": None,
    f"{OWN}/capabilities/drop": ["KILL"],
    f"{OWN}/capabilities/add": ["CHOWN"],
}


def changed(content: dict, path: str, value: object) -> dict:
    """Return a copy with one field set; None removes it. Numbers in the path are indexes."""
    result = copy.deepcopy(content)
    *outer, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    inner = result
    for key in outer:
        inner = inner[key] if isinstance(key, int) else inner.setdefault(key, {})
    if value is None:
        inner.pop(last)
    else:
        inner[last] = value
    return result


def pod(path: str = "", value: object = None) -> dict:
    """A pod, with one field of its spec changed."""
    return named("Pod", spec=changed(SPEC, path, value) if path else SPEC)


def named(kind: str, **content) -> dict:
    """An object `x` of a kind."""
    metadata = {"name": "x", **content.pop("metadata", {})}
    return {"apiVersion": content.pop("apiVersion", "v1"), "kind": kind, "metadata": metadata, **content}

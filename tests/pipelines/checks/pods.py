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

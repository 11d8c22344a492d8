"""The controls of the Pod Security Standards, as Kubernetes 1.35 enforces them.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/, and the fields named in
k8s.io/pod-security-admission/policy, whose own test data they were tried on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pipelines.checks.content import at, listed, mapping
from pipelines.checks.manifests import containers
from pipelines.checks.subject import Content, Pod

_Wrong = Iterator[tuple[str, Any]]  # field, what stands there
Control = Callable[[Pod], _Wrong]
CONTEXT = "securityContext"
_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip
_SYSCTLS = (
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
)  # fmt: skip
_VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret",
)  # fmt: skip
_SELINUX = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_PROFILES = ("RuntimeDefault", "Localhost")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _contexts(pod: Pod) -> Iterator[tuple[str, Content]]:
    """Yield the security contexts of the pod and of each container."""
    yield f"{pod.field}.{CONTEXT}", mapping(pod.spec, CONTEXT)
    for field, container in containers(pod):
        yield f"{field}.{CONTEXT}", mapping(container, CONTEXT)


def _must_be(path: tuple[str, ...], allowed: tuple[Any, ...]) -> Control:
    """Return the control of a field of every security context that may only have some values, or none."""

    def control(pod: Pod) -> _Wrong:
        for field, context in _contexts(pod):
            value = at(context, *path)
            if value is not None and value not in allowed:
                yield f"{field}.{'.'.join(path)}", value

    return control


def _demanded(path: tuple[str, ...], allowed: tuple[Any, ...], *, own: bool = False) -> Control:
    """Return the control of a field that every container must have, by itself or by the pod.

    Args:
        path: In the security context.
        allowed: Its values.
        own: The pod cannot say it for its containers.
    """

    def control(pod: Pod) -> _Wrong:
        shared = None if own else at(pod.spec, CONTEXT, *path)
        if shared is not None and shared not in allowed:
            yield f"{pod.field}.{CONTEXT}.{'.'.join(path)}", shared
        for field, container in containers(pod):
            value = at(container, CONTEXT, *path)
            if value not in allowed and (value is not None or shared not in allowed):
                yield f"{field}.{CONTEXT}.{'.'.join(path)}", value

    return control


def _unset(path: tuple[str, ...], allowed: tuple[Any, ...]) -> Control:
    """Return the same for a field whose wrong values *baseline* names already."""
    demanded = _demanded(path, allowed)
    return lambda pod: ((field, value) for field, value in demanded(pod) if value is None)


def _host_namespaces(pod: Pod) -> _Wrong:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key):
            yield f"{pod.field}.{key}", True


def _volumes(wrong: Callable[[str], bool]) -> Control:
    def control(pod: Pod) -> _Wrong:
        for index, volume in enumerate(listed(pod.spec, "volumes")):
            for kind in mapping(volume):
                if kind != "name" and wrong(kind):
                    yield f"{pod.field}.volumes[{index}].{kind}", at(volume, kind, "path")

    return control


def _host_ports(pod: Pod) -> _Wrong:
    for field, container in containers(pod):
        for index, port in enumerate(listed(container, "ports")):
            if at(port, "hostPort"):
                yield f"{field}.ports[{index}].hostPort", at(port, "hostPort")


def _host_probes(pod: Pod) -> _Wrong:
    handlers = [(probe,) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
    handlers += [("lifecycle", hook) for hook in ("postStart", "preStop")]
    for field, container in containers(pod):
        for handler in handlers:
            for action in ("httpGet", "tcpSocket"):
                if host := at(container, *handler, action, "host"):
                    yield f"{field}.{'.'.join(handler)}.{action}.host", host


def _added(wrong: Callable[[Any], bool]) -> Control:
    def control(pod: Pod) -> _Wrong:
        for field, container in containers(pod):
            for name in listed(container, CONTEXT, "capabilities", "add"):
                if wrong(name):
                    yield f"{field}.{CONTEXT}.capabilities.add", name

    return control


def _nothing_dropped(pod: Pod) -> _Wrong:
    for field, container in containers(pod):
        if "ALL" not in listed(container, CONTEXT, "capabilities", "drop"):
            yield f"{field}.{CONTEXT}.capabilities.drop", None


def _sysctls(pod: Pod) -> _Wrong:
    for index, one in enumerate(listed(pod.spec, CONTEXT, "sysctls")):
        if at(one, "name") not in _SYSCTLS:
            yield f"{pod.field}.{CONTEXT}.sysctls[{index}]", at(one, "name")


def _selinux(pod: Pod) -> _Wrong:
    for field, context in _contexts(pod):
        options = mapping(context, "seLinuxOptions")
        for key in ("type", "user", "role"):
            if options.get(key) not in (_SELINUX if key == "type" else (None, "")):
                yield f"{field}.seLinuxOptions.{key}", options[key]


def _apparmor(pod: Pod) -> _Wrong:
    for name, value in mapping(pod.metadata, "annotations").items():
        if str(name).startswith(_APPARMOR) and not str(value).startswith(("runtime/default", "localhost/")):
            yield f"{pod.field}.metadata.annotations.{name}", value


def _own_users(pod: Pod) -> bool:
    return pod.spec.get("hostUsers") is False


def _where(holds: Callable[[Pod], bool], control: Control) -> Control:
    return lambda pod: control(pod) if holds(pod) else iter(())


def _on_linux(control: Control) -> Control:
    return _where(lambda pod: at(pod.spec, "os", "name") != "windows", control)


def _without_own_users(control: Control) -> Control:
    return _where(lambda pod: not _own_users(pod), control)


# What to do, by control.
BASELINE: dict[str, Control] = {
    "leave the host's namespaces alone": _host_namespaces,
    "let it be false": _must_be(("privileged",), (False,)),
    "mount no path of the host": _volumes(lambda kind: kind == "hostPath"),
    "use a service": _host_ports,
    "leave the host out: it is the pod": _host_probes,
    "leave the capability out": _added(lambda name: name not in _CAPABILITIES),
    "leave the kernel's setting out": _sysctls,
    "leave SELinux to the node": _selinux,
    "use `runtime/default`": _apparmor,
    "use `RuntimeDefault`": _must_be(("appArmorProfile", "type"), _PROFILES),
    "let seccomp be `RuntimeDefault`": _must_be(("seccompProfile", "type"), _PROFILES),
    "let `procMount` be `Default`": _without_own_users(_must_be(("procMount",), ("Default",))),
    "leave `hostProcess` out": _must_be(("windowsOptions", "hostProcess"), (False,)),
}
RESTRICTED: dict[str, Control] = {
    "use a volume of another kind": _volumes(lambda kind: kind not in (*_VOLUMES, "hostPath")),
    "let `procMount` be `Default`": _where(_own_users, _must_be(("procMount",), ("Default",))),
    "set it to `false`": _on_linux(_demanded(("allowPrivilegeEscalation",), (False,), own=True)),
    "set it to `true`": _without_own_users(_demanded(("runAsNonRoot",), (True,))),
    "use a user other than root": _without_own_users(
        lambda pod: (
            (f"{field}.runAsUser", 0) for field, one in _contexts(pod) if one.get("runAsUser") == 0
        )
    ),
    "set it to `RuntimeDefault`": _on_linux(_unset(("seccompProfile", "type"), _PROFILES)),
    "drop `ALL`": _on_linux(_nothing_dropped),
    "add `NET_BIND_SERVICE` at most": _added(
        lambda name: name in _CAPABILITIES and name != "NET_BIND_SERVICE"
    ),
}

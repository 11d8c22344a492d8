"""What a component executes: a command, or the import of an artifact."""

from __future__ import annotations

from pipelines.local.cluster_settings import ClusterSettings
from pipelines.local.command import structure, texts
from pipelines.local.connections import Content
from pipelines.local.placeholders import has_placeholder, unknown_placeholder
from pipelines.local.plan import Constant, Container, FromInput, Importer
from pipelines.local.refusal import Problems
from pipelines.local.resources import memory_bytes


def read_executor(
    component: Content, deployment: Content, settings: ClusterSettings, where: str, problems: Problems
) -> Container | Importer:
    """Read what a component executes.

    Args:
        component: The component.
        deployment: The package's `deploymentSpec`.
        settings: What the package says for Kubernetes.
        where: The task.
        problems: Takes what is refused.
    """
    label = component["executorLabel"]
    spec: Content = deployment["executors"][label]
    problems.keys(spec, ("container", "importer"), where)
    if importer := spec.get("importer"):
        return _importer(importer, component, where, problems)
    container: Content = spec.get("container") or {}
    return _container(container, label, settings, where, problems)


def _container(
    container: Content, label: str, settings: ClusterSettings, where: str, problems: Problems
) -> Container:
    problems.keys(container, ("image", "command", "args", "env"), where, harmless=("resources",))
    command = tuple(str(part) for part in [*container.get("command", ()), *container.get("args", ())])
    variables = {entry["name"]: str(entry.get("value", "")) for entry in container.get("env", ())}
    image = str(container.get("image") or "")
    if container and not command:
        problems.refuse("entry-point", where)
    for text in (text for part in command for text in texts(structure(part))):
        if unknown := unknown_placeholder(text):
            problems.refuse("placeholder", where, name=f"the placeholder {unknown}")
    for text in (image, *variables.values()):
        if has_placeholder(text):
            problems.refuse("image-parameter", where, text)
    return Container(
        image=image, command=command, environment=variables, timeout=settings.timeouts.get(label),
        memory_bytes=memory_bytes(container.get("resources") or {}), wanted=settings.wanted.get(label, ()),
    )  # fmt: skip


def _importer(spec: Content, component: Content, where: str, problems: Problems) -> Importer:
    problems.keys(spec, ("artifactUri", "typeSchema", "metadata", "reimport", "downloadToWorkspace"), where)
    uri: Content = spec["artifactUri"]
    problems.keys(uri, ("constant", "runtimeParameter"), where)
    if "constant" in uri:
        source = Constant(str(uri["constant"]))
        if refused_scheme(str(uri["constant"])):
            problems.refuse("importer-scheme", where, uri["constant"])
    else:
        source = FromInput(uri["runtimeParameter"])
    (port,) = component["outputDefinitions"]["artifacts"]
    metadata = spec.get("metadata") or {}
    return Importer(
        uri=source, port=port, metadata=metadata, reimport=bool(spec.get("reimport")),
        to_workspace=bool(spec.get("downloadToWorkspace")),
    )  # fmt: skip


def refused_scheme(uri: str) -> bool:
    """Tell whether an address is not a path on this machine."""
    return "://" in uri and not uri.startswith("file:///")

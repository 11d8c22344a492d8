"""Secrets that stand in a package or a manifest: whoever may read it, or its history in git, has them."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.content import at, listed, mapping, texts
from pipelines.checks.finding import Breach
from pipelines.checks.secret_values import is_a_value, names_a_secret, secrets_in
from pipelines.checks.subject import Manifest, Package, Subject

Found = tuple[str | None, str, str, str]  # task, field, what it looks like, the secret

_FIX = "keep it in a secret of the namespace, and take it by name"


def secret_values(subject: Subject) -> Iterator[Breach]:
    """Find texts that look like secrets. What they are is never told."""
    told: set[tuple[str | None, str]] = set()
    for task, field, what, _ in found_secrets(subject):
        if (task, field) not in told:
            told.add((task, field))
            yield Breach(task=task, field=field, message=f"looks like {what}", fix=_FIX)


def found_secrets(subject: Subject) -> Iterator[Found]:
    """Yield every secret with its place, for those who must keep it out of what they print."""
    if isinstance(subject, Package):
        yield from _of_package(subject)
    elif subject.kind not in ("Secret", "CustomResourceDefinition"):  # all values secret, and none at all
        yield from _of_manifest(subject)


def _of_package(package: Package) -> Iterator[Found]:
    steps = {at(step.component, "executorLabel"): step for step in package.steps}
    for step in package.steps:
        for name, source in mapping(step.task, "inputs", "parameters").items():
            yield from _named(step.label, f"inputs.{name}", name, at(source, "runtimeValue", "constant"))
        for name, spec in mapping(step.component, "inputDefinitions", "parameters").items():
            yield from _named(step.label, f"inputDefinitions.{name}", name, at(spec, "defaultValue"))
    for name, spec in mapping(package.content, "root", "inputDefinitions", "parameters").items():
        yield from _named(None, f"root.inputDefinitions.{name}", name, at(spec, "defaultValue"))
    for label, executor in mapping(package.content, "deploymentSpec", "executors").items():
        task = steps[label].label if label in steps else None
        yield from _container(task, "container", at(executor, "container"))
        yield from _named(task, "importer", "importer", at(executor, "importer"))


def _of_manifest(manifest: Manifest) -> Iterator[Found]:
    content = manifest.content
    for side in ("data", "binaryData") if manifest.kind == "ConfigMap" else ():
        for name, value in mapping(content, side).items():
            yield from _named(None, f"{side}.{name}", name, value)
    for name, value in mapping(content, "metadata", "annotations").items():
        yield from _named(None, f"metadata.annotations.{name}", "annotation", value)
    if manifest.kind in ("PipelineVersion", "ConfigMap"):
        return
    alone = [
        (f"spec.{path}", *found)
        for path, text in texts(mapping(content, "spec"))
        for found in secrets_in(text)
    ]
    yield from ((None, *found) for found in alone)
    for box in manifest.boxes:  # `--password` and its value, apart
        for what, value in secrets_in(" ".join(part for part in box.command if "\n" not in part)):
            if value not in {known for *_, known in alone}:
                yield None, f"{box.field}.command", what, value
    yield from _variables(None, "spec", content.get("spec"))


def _container(task: str | None, field: str, container: object) -> Iterator[Found]:
    for key in ("command", "args"):
        pieces = [piece for piece in listed(container, key) if isinstance(piece, str)]
        words = " ".join(
            piece for piece in pieces if "\n" not in piece
        )  # `--password` and its value, apart
        for piece in (words, *(piece for piece in pieces if "\n" in piece)):
            source = piece.lstrip().startswith(("import ", "from "))
            for what, value in secrets_in(piece, source=source):
                yield task, f"{field}.{key}", what, value
    yield from _variables(task, field, container)


def _variables(task: str | None, field: str, content: object) -> Iterator[Found]:
    """Look at variables, which are lists of `name` and `value`, at whatever depth."""
    for index, one in enumerate(listed(content)):
        name, value = at(one, "name"), at(one, "value")
        if isinstance(name, str) and isinstance(value, str):
            yield from _named(task, f"{field}[{index}].value", name, value)
        yield from _variables(task, f"{field}[{index}]", one)
    for key, value in mapping(content).items():
        yield from _variables(task, f"{field}.{key}", value)


def _named(task: str | None, field: str, name: str, content: object) -> Iterator[Found]:
    """Look at a value under a name, and at what is inside it under further names."""
    if isinstance(content, str):
        if names_a_secret(name) and "\n" not in content and is_a_value(content):
            yield task, field, f"the value of `{name}`", content
        else:
            for what, value in secrets_in(content):
                yield task, field, what, value
    for key, value in mapping(content).items():
        yield from _named(task, f"{field}.{key}", key, value)
    for index, value in enumerate(listed(content)):
        yield from _named(task, f"{field}[{index}]", name, value)


def secret_in_manifest(manifest: Manifest) -> Iterator[Breach]:
    """Find secrets of Kubernetes with values in them: base64 hides nothing."""
    for side in ("data", "stringData") if manifest.kind == "Secret" else ():
        for key, value in mapping(manifest.content, side).items():
            if value not in (None, ""):
                yield Breach(
                    field=f"{side}.{key}", message="a secret with its value, in a file",
                    fix="make it in the cluster, or by an operator (External Secrets, Sealed Secrets)",
                )  # fmt: skip

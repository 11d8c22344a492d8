"""Pods that the Pod Security Standards refuse."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.content import mapping
from pipelines.checks.finding import Breach
from pipelines.checks.pod_controls import BASELINE, CONTEXT, RESTRICTED, Control
from pipelines.checks.subject import Manifest, Package


def baseline(manifest: Manifest) -> Iterator[Breach]:
    """Find pods that the standard *baseline* refuses: known ways out of a container."""
    return _check(manifest, BASELINE, "the Pod Security Standard *baseline* refuses the pod")


def restricted(manifest: Manifest) -> Iterator[Breach]:
    """Find pods that *baseline* takes and *restricted* refuses."""
    return _check(manifest, RESTRICTED, "a namespace that enforces *restricted* refuses the pod")


def restricted_tasks(package: Package) -> Iterator[Breach]:
    """Find tasks that *restricted* refuses: KFP sets all that it demands but for the user."""
    for step in package.steps:
        context = mapping(step.settings, CONTEXT)
        root = str(context.get("runAsUser")) in ("0", "0.0")
        if step.container and not package.component and (root or context.get("runAsNonRoot") is not True):
            yield Breach(
                task=step.label, field=f"{CONTEXT}.{'runAsUser' if root else 'runAsNonRoot'}",
                value="0" if root else None,
                message="a namespace that enforces *restricted* refuses the pod",
                fix="`kubernetes.set_security_context(task, run_as_user=65532, run_as_non_root=True)`",
            )  # fmt: skip


def _check(manifest: Manifest, controls: dict[str, Control], message: str) -> Iterator[Breach]:
    for pod in manifest.pods:
        for fix, control in controls.items():
            for field, value in control(pod):
                shown = None if value is None else str(value)
                yield Breach(field=field, value=shown, message=message, fix=fix)

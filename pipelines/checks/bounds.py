"""Bounds: what a container may take of a node and for how long, and what a cluster hands to one task."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.content import at
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Manifest, Package, Subject
from pipelines.wide_rounds import wide_rounds as wide_rounds_of


def missing_resources(subject: Subject) -> Iterator[Breach]:
    """Find containers that do not say what they need and may take, of processors and memory."""
    if isinstance(subject, Package) and subject.component:
        return  # what takes the component says it
    for box in subject.boxes:
        if missing := [what for what, amount in box.amounts.items() if amount is None]:
            by = (
                "`set_cpu_request`, `set_memory_limit`, …"
                if box.task
                else "`resources.requests`, `.limits`"
            )
            yield Breach(
                task=box.task, field=f"{box.field}.resources", message=f"no {', no '.join(missing)}",
                fix=f"set it by {by}",
            )  # fmt: skip


def missing_timeout(package: Package) -> Iterator[Breach]:
    """Find tasks that may hang for ever."""
    for step in package.steps:
        if step.container and not package.component and not step.settings.get("activeDeadlineSeconds"):
            yield Breach(
                task=step.label, field="activeDeadlineSeconds", message="may hang for ever",
                fix="`kubernetes.set_timeout(task, seconds)`",
            )  # fmt: skip


def missing_deadline(manifest: Manifest) -> Iterator[Breach]:
    """Find jobs that may hang for ever."""
    path = {"Job": ("spec",), "CronJob": ("spec", "jobTemplate", "spec")}.get(manifest.kind)
    if path and not at(manifest.content, *path, "activeDeadlineSeconds"):
        yield Breach(
            field=".".join((*path, "activeDeadlineSeconds")), message="may hang for ever",
            fix="give it a number of seconds",
        )  # fmt: skip


def wide_rounds(package: Package) -> Iterator[Breach]:
    """Find searches of ours with a round of too many tasks, by the values that stand in the package."""
    for wide in wide_rounds_of(package.plan, {}):
        yield Breach(
            task=wide.task, field="inputs.trials", message=wide.what, value=str(wide.trials), fix=wide.fix
        )

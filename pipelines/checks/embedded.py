"""What the embedded runner does not do, or does otherwise than a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.finding import Breach
from pipelines.checks.subject import Package
from pipelines.checks.wiring import BROKEN, problem_as_breach
from pipelines.local.constructs import MEANINGLESS
from pipelines.local.plan import Constant, FromInput, Graph, Group, Loop
from pipelines.local.secrets.wanted import OPTIONS, MountedFolder
from pipelines.local.walks import container_tasks


def refused_here(package: Package) -> Iterator[Breach]:
    """Find what the embedded runner refuses before the first task, though a cluster executes it."""
    for problem in package.problems.found if package.local else ():
        alone = package.component and problem.rule == "graph-artifact-input"  # what takes it gives them
        if problem.rule not in BROKEN and not alone:
            yield problem_as_breach(problem, package)


def meaningless_here(package: Package) -> Iterator[Breach]:
    """Find what changes nothing on one machine."""
    for key in package.problems.passed_over if package.local else ():
        yield Breach(
            field=key, message=f"without meaning on one machine: {MEANINGLESS.get(key, key)}",
            fix="a cluster does it",
        )  # fmt: skip


def wanted_secrets(package: Package) -> Iterator[Breach]:
    """List the secrets and config maps that a run is to be given."""
    for task, container in container_tasks(package.plan.graph) if package.local else ():
        for one in container.wanted:
            folder = isinstance(one, MountedFolder)
            place = f"the folder {one.path}" if folder else f"the variable `{one.variable}`"
            what = f"{'' if folder else f'key `{one.key}` of '}{one.kind} `{one.name}` as {place}"
            yield Breach(
                task=task.label, field=one.kind.replace(" ", "-"),
                message=f"{'can take' if one.optional else 'takes'} {what}",
                fix=f"millrace run {OPTIONS[one.kind]} {one.name}=PATH",
            )  # fmt: skip


def untyped_items(package: Package) -> Iterator[Breach]:
    """Find items of untyped lists that go where no text is taken: the backend hands them on as text."""
    for task in sorted(set(_takers_in(package.plan.graph))):
        yield Breach(
            task=task, field="inputs",
            message="takes an item of an untyped list, which KFP's backend hands on as text",
            fix="give the list its type, such as `List[int]`",
        )  # fmt: skip


def _takers_in(graph: Graph) -> Iterator[str]:
    for task in graph.tasks.values():
        if isinstance(task.work, Loop):
            spec = task.inputs.parameters.get(task.work.item)
            if spec is not None and spec.type == "STRING" and not _texts_only(task.work):
                yield from _takers(task.work.body, task.work.item)
        if isinstance(task.work, (Group, Loop)):
            yield from _takers_in(task.work.body)


def _texts_only(loop: Loop) -> bool:
    items = loop.items.value if isinstance(loop.items, Constant) else [None]
    return all(isinstance(item, str) for item in items)


def _takers(graph: Graph, name: str) -> Iterator[str]:
    for task in graph.tasks.values():
        for port, source in task.parameters.items():
            if source != FromInput(name):
                continue
            if isinstance(task.work, (Group, Loop)):
                yield from _takers(task.work.body, port)
            elif port in task.inputs.parameters and task.inputs.parameters[port].type != "STRING":
                yield task.label

"""Rules that a package must keep before anybody runs it: all that is wrong, not only the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components.common.errors import BadInputError
from pipelines.local.constructs import MEANINGLESS
from pipelines.local.plan import (
    Constant,
    FromInput,
    Graph,
    Group,
    Loop,
    Plan,
    Task,
)
from pipelines.local.reading import inspect_package
from pipelines.local.refusal import Problem
from pipelines.local.secrets.wanted import OPTIONS, MountedFolder
from pipelines.local.walks import container_tasks


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something about a package.

    Attributes:
        where: Which part of it.
        rule: Short name of the rule.
        message: What is wrong.
        fix: What to do, or None.
        severity: A package with an `error` is not executed on this machine; `warning`: it may do something
            else on a cluster; `notice`: it asks for something that means nothing on one machine.
    """

    where: str
    rule: str
    message: str
    fix: str | None
    severity: Literal["error", "warning", "notice"]

    def __str__(self) -> str:
        """Return `where: rule: message: fix` in one line."""
        return ": ".join(part for part in (self.where, self.rule, self.message, self.fix) if part)


def check_package(path: Path) -> list[Finding]:
    """Check a compiled package.

    Args:
        path: What `kfp.compiler` wrote.

    Returns:
        Everything that was found, the errors first.
    """
    try:
        plan, problems = inspect_package(path)
    except BadInputError as error:
        return [Finding(where=str(path), rule="package", message=str(error), fix=None, severity="error")]
    found = [_finding(problem) for problem in problems.found]
    found += [*_equal_commands(plan), *_items_without_a_type(plan.graph)]
    found += _wanted(plan)
    for key in problems.passed_over:
        message = f"{MEANINGLESS.get(key, key)} has no meaning on one machine"
        found.append(Finding(where="package", rule=key, message=message, fix=None, severity="notice"))
    order = ("error", "warning", "notice")
    return sorted(found, key=lambda one: order.index(one.severity))


def _finding(problem: Problem) -> Finding:
    shown = "" if problem.value is None else f", got {str(problem.value)[:200]!r}"
    message = f"{problem.what}{shown}"
    return Finding(
        where=problem.where, rule=problem.rule, message=message, fix=problem.fix, severity="error"
    )


def _equal_commands(plan: Plan) -> Iterator[Finding]:
    """Find components that KFP's backend takes for one: it tells them apart by image and command alone."""
    first: dict[tuple[str, tuple[str, ...]], Task] = {}
    for task, container in container_tasks(plan.graph):
        other = first.setdefault((container.image, container.command), task)
        if (other.inputs, other.outputs) != (task.inputs, task.outputs):
            yield Finding(
                where=f"task `{task.label}`", rule="equal-commands",
                message=f"same image and command as `{other.label}`, with other inputs or outputs",
                fix="make the commands differ", severity="warning",
            )  # fmt: skip


def _wanted(plan: Plan) -> Iterator[Finding]:
    """List the secrets and config maps that a run is to be given."""
    for task, container in container_tasks(plan.graph):
        for one in container.wanted:
            folder = isinstance(one, MountedFolder)
            place = f"the folder {one.path}" if folder else f"the variable `{one.variable}`"
            what = f"{'' if folder else f'key `{one.key}` of '}{one.kind} `{one.name}` as {place}"
            yield Finding(
                where=f"task `{task.label}`", rule=one.kind.replace(" ", "-"),
                message=f"{'can take' if one.optional else 'takes'} {what}",
                fix=f"millrace run {OPTIONS[one.kind]} {one.name}=PATH", severity="notice",
            )  # fmt: skip


def _items_without_a_type(graph: Graph) -> Iterator[Finding]:
    """Find items of untyped lists that go where no text is taken: the backend hands them on as text."""
    for task in graph.tasks.values():
        if isinstance(task.work, Loop):
            spec = task.inputs.parameters.get(task.work.item)
            if spec is not None and spec.type == "STRING" and not _texts_only(task.work):
                for user in _takers(task.work.body, task.work.item):
                    yield Finding(
                        where=f"task `{user}`", rule="loop-item",
                        message="takes an item of an untyped list, which KFP's backend hands on as text",
                        fix="give the list its type, such as `List[int]`", severity="warning",
                    )  # fmt: skip
        if isinstance(task.work, (Group, Loop)):
            yield from _items_without_a_type(task.work.body)


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

"""Graphs that KFP's compiler writes without a word, and its backend cannot execute or executes wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from pipelines.checks.content import at, listed, mapping
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Package
from pipelines.local.refusal import Problem

_WIRING_FIX = "loop over an output or a list parameter, use the item, and compile it again"
BROKEN = ("wiring", "graph", "condition", "workspace")  # what no runner can execute


def problems_of(kind: str) -> Callable[[Package], Iterator[Breach]]:
    """Return the rule that tells one kind of what no runner could execute."""

    def rule(package: Package) -> Iterator[Breach]:
        for one in package.problems.found:
            if one.rule == kind:
                breach = problem_as_breach(one, package)
                yield replace(breach, fix=_WIRING_FIX) if kind == "wiring" else breach

    return rule


def problem_as_breach(problem: Problem, package: Package) -> Breach:
    """Return a problem of the embedded runner's reader with its place as rules write it."""
    named = re.findall(r"(?:inside|task) `([^`]*)`", problem.where)
    rest = re.sub(r"(?:inside|task) `[^`]*`,? ?", "", problem.where)
    labels = {step.path: step.label for step in package.steps}
    task = labels.get(tuple(named), named[-1] if named else None)
    field = re.sub(r"\binput `([^`]*)`", r"inputs.\1", rest).replace("`", "").strip()
    value = None if problem.value is None else str(problem.value)
    return Breach(
        task=task, field=field, message=problem.what, value=value, fix=problem.fix or "compile it again"
    )


def missing_dependency(package: Package) -> Iterator[Breach]:
    """Find tasks that take what another makes and do not say that they wait for it.

    KFP's backend adds what is missing (`addImplicitDependencies` in argocompiler/dag.go, 2.17.0), as the
    embedded runner does. `kfp.local` goes by `dependentTasks` alone.
    """
    for step in package.steps:
        waits = set(map(str, listed(step.task, "dependentTasks")))
        inputs = mapping(step.task, "inputs")
        for kind in ("parameters", "artifacts"):
            for name, source in mapping(inputs, kind).items():
                for producer in sorted(_producers(source) - waits):
                    if producer in step.siblings:
                        yield Breach(
                            task=step.label, field=f"inputs.{name}",
                            message=f"takes an output of `{producer}`; `kfp.local` does not wait for it",
                            fix=f"use the item inside the loop, or say `.after({producer})`",
                        )  # fmt: skip


def _producers(source: object) -> set[str]:
    """Return the tasks that an input names, at whatever depth, as `dsl.OneOf` and lists have them."""
    found: set[str] = set()
    for key, value in mapping(source).items():
        if key == "producerTask" and isinstance(value, str):
            found.add(value)
        found |= _producers(value)
    for value in listed(source):
        found |= _producers(value)
    return found


def equal_commands(package: Package) -> Iterator[Breach]:
    """Find components that the backend takes for one: it tells them apart by image and command alone."""
    first: dict[str, tuple[str, object]] = {}
    for step in package.steps:
        if not step.container:
            continue
        # Doors made of functions differ by their source; what else is in the container changes nothing.
        same = repr([step.container.get(key) for key in ("image", "command", "args", "env", "resources")])
        ports = [at(step.component, side) for side in ("inputDefinitions", "outputDefinitions")]
        other, others = first.setdefault(same, (step.label, ports))
        if others != ports:
            yield Breach(
                task=step.label, field="container.command",
                message=f"same image and command as `{other}`, with other inputs or outputs",
                fix="make the commands differ",
            )  # fmt: skip

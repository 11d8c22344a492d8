"""Ports as the dashboard shows them."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.checks.content import at, mapping
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Content, Package

_SIDES = {"inputDefinitions": "input", "outputDefinitions": "output"}


def undescribed_ports(package: Package) -> Iterator[Breach]:
    """Find ports of tasks and inputs of the pipeline that nobody described, a line for each of them."""
    fix = "describe inputs under `Args:` and outputs under `Returns:` of the docstring"
    if not package.component and (names := _undescribed(mapping(package.content, "root"))):
        yield Breach(field="root", message=f"undescribed: {', '.join(names)}", fix=fix)
    for step in package.steps:
        if (
            at(step.component, "executorLabel")
            and step.container
            and (names := _undescribed(step.component))
        ):
            yield Breach(
                task=step.label, field="ports", message=f"undescribed: {', '.join(names)}", fix=fix
            )


def _undescribed(component: Content) -> list[str]:
    return [
        f"{word} `{name}`"
        for side, word in _SIDES.items()
        for kind in ("parameters", "artifacts")
        for name, spec in mapping(component, side, kind).items()
        if not at(spec, "description")
    ]

"""What a rule says about one place, and what people read of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True, slots=True)
class Breach:
    """A place where a rule is broken.

    Attributes:
        field: Path of the field, inside the task or the document.
        message: What is wrong.
        fix: What to do.
        task: Of a package: the task; None for the package as a whole, and in manifests.
        value: What stands there; None when nothing does, or when it must not be shown.
    """

    field: str
    message: str
    fix: str
    task: str | None = None
    value: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A breach, with the rule and the document.

    Attributes:
        file: Path as it was given, or `<stdin>`.
        document: `Kind/name` of a manifest; empty for a package in a file of its own.
        task: Of a package: the task, or None.
        field: Path of the field, inside the task or the document.
        rule: Name of the rule.
        severity: An `error` ends the command with 3.
        message: What is wrong.
        value: What stands there, or None. Never a secret.
        fix: What to do.
    """

    file: str
    document: str
    task: str | None
    field: str
    rule: str
    severity: Severity
    message: str
    value: str | None
    fix: str

    @property
    def place(self) -> str:
        """Return `file:task.field`, or `file:Kind/name:field`."""
        inside = ".".join(part for part in (self.task, self.field) if part)
        return ":".join(part for part in (self.file, self.document, inside) if part)

    @property
    def judgement(self) -> str:
        """Return `severity rule`."""
        return f"{self.severity} {self.rule}"

    @property
    def advice(self) -> str:
        """Return `what; what to do`."""
        shown = "" if self.value is None else f", got {self.value!r}"
        return f"{self.message}{shown}; {self.fix}"


def fold(findings: Iterable[Finding]) -> list[tuple[str, Finding]]:
    """Put findings of one file together that differ in the place alone.

    Returns:
        The place of the first of each, with how many more there are, and the first.
    """
    together: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        together.setdefault((one.file, one.judgement, one.advice), []).append(one)
    return [
        (f"{group[0].place} and {len(group) - 1} more" if len(group) > 1 else group[0].place, group[0])
        for group in together.values()
    ]

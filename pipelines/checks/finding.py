"""What a rule says about one place, and what people read of it."""

from __future__ import annotations

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
    def text(self) -> str:
        """Return `severity rule: what; what to do`."""
        shown = "" if self.value is None else f", got {self.value!r}"
        return f"{self.severity} {self.rule}: {self.message}{shown}; {self.fix}"


def show_findings(findings: list[Finding]) -> list[str]:
    """Return a line for each finding; equal ones in one file are a line together."""
    places: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        places.setdefault((one.file, one.text), []).append(one.place)
    return [f"{_first(where)}: {text}" for (_, text), where in places.items()]


def _first(places: list[str]) -> str:
    more = len(places) - 1
    return f"{places[0]} and {more} more" if more else places[0]

"""The walls of the embedded runner: what a package may not ask for, collected and called by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.constructs import REFUSED

FIX = "run this package on Kubeflow Pipelines, or leave the construct out"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing for which a package is not executed.

    Attributes:
        rule: Key of `REFUSED`; the unknown key itself; or `condition`, `graph`, `wiring`.
        what: What is wrong.
        where: Which part of the package.
        value: The offending value, or None.
        fix: What to do, or None.
    """

    rule: str
    what: str
    where: str
    value: object = None
    fix: str | None = None

    def error(self) -> BadInputError:
        """Return it as an error."""
        return BadInputError(self.what, where=self.where, value=self.value, fix=self.fix)


class Problems:
    """Everything that was found wrong, and what was passed over.

    Attributes:
        found: The problems, in the order of the package.
        passed_over: Keys without meaning on one machine.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.found: list[Problem] = []
        self.passed_over: dict[str, None] = {}

    def refuse(self, rule: str, where: str, value: object = None, *, name: str | None = None) -> None:
        """Note a construct that this runner does not execute; `name` is said in place of the rule's own."""
        what = f"the embedded runner does not execute {name or REFUSED.get(rule, f'`{rule}`')}"
        self.found.append(Problem(rule=rule, what=what, where=where, value=value, fix=FIX))

    def broken(
        self, rule: str, what: str, where: str, value: object = None, fix: str | None = "compile it again"
    ) -> None:
        """Note something that no runner could execute."""
        self.found.append(Problem(rule=rule, what=what, where=where, value=value, fix=fix))

    def keys(
        self, content: Mapping[str, Any], known: Iterable[str], where: str, *, harmless: Iterable[str] = ()
    ) -> None:
        """Refuse every key that is neither read nor without meaning here, and says something.

        Args:
            content: A mapping of the package.
            known: Keys that the caller reads.
            where: Which part of the package this is.
            harmless: Keys that change nothing on one machine.
        """
        allowed, ignored = set(known), set(harmless)
        for key, value in content.items():
            if key in ignored:
                self.passed_over[key] = None
            elif key not in allowed and value not in (None, {}, [], "", False):
                self.refuse(key, where)

    def raise_first(self) -> None:
        """Raise the first problem.

        Raises:
            BadInputError: There is one.
        """
        if self.found:
            more = len(self.found) - 1
            first = self.found[0]
            error = first.error()
            if more:
                error.add_note(f"and {more} more; `millrace check` lists them")
            raise error

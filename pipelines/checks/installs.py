"""Packages that are installed while a task runs: another result tomorrow, and code that nobody reviewed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pipelines.checks.finding import Breach
from pipelines.checks.subject import Subject

_INSTALL = re.compile(
    r"\b(?:pip[\d.]*|pipx|uv|conda|mamba|apt|apt-get|apk|dnf|yum|npm)\s+(?:-\S+\s+|pip\s+)*(?:install|add|sync)\b"
    r"[^\n;&|]*"
)
_RUNNERS = ("system", "run", "call", "check_call", "check_output", "Popen")


def installs(subject: Subject) -> Iterator[Breach]:
    """Find commands, and calls in the source of a function, that install something."""
    for box in subject.boxes:
        for place, text in enumerate(_shell_texts(box.command)):
            # The prelude of KFP's `packages_to_install` may fetch pip itself; what it installs comes last.
            if found := _INSTALL.findall(text):
                shown = next(
                    (one for one in found if "ensurepip" not in one and "python3-pip" not in one), found[0]
                )
                yield Breach(
                    task=box.task, field=f"{box.field}.command[{place}]", value=shown.strip(),
                    message="installs while the task runs",
                    fix="put it into the image, and leave `packages_to_install` empty",
                )  # fmt: skip
                break


def _shell_texts(command: tuple[str, ...]) -> Iterator[str]:
    yield " ".join(part for part in command if "\n" not in part)
    for part in command:
        if "\n" not in part:
            continue
        yield "\n".join(_calls(part)) if part.lstrip().startswith(("import ", "from ")) else part


def _calls(source: str) -> Iterator[str]:
    """Yield the texts that a Python source hands to other programs: not its comments and messages."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _RUNNERS:
            constants = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
            yield " ".join(one for one in constants if isinstance(one, str))

"""The command of a lightweight component, and what of it a forked child executes itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What the pinned `kfp` writes for every lightweight component; a test holds it to `kfp`.
SCRIPT = (
    "program_path=$(mktemp -d)\n\n"
    'printf "%s" "$0" > "$program_path/ephemeral_component.py"\n'
    "_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main "
    "                        --component_module_path "
    '                        "$program_path/ephemeral_component.py" '
    '                        "$@"\n'
)
_LONGEST = 1 << 17  # bytes, with the zero at the end: Linux's MAX_ARG_STRLEN
_MOST = 1 << 20  # half of what Linux takes in all with its usual limit of the stack


@dataclass(frozen=True, kw_only=True)
class Lightweight:
    """A lightweight component's command.

    Attributes:
        program: Source of the component.
        arguments: Arguments of KFP's executor.
    """

    program: str
    arguments: tuple[str, ...]


def is_lightweight(command: Sequence[str]) -> bool:
    """Tell whether a command, placeholders filled in or not, is that of a lightweight component."""
    return len(command) > 3 and tuple(command[:3]) == ("sh", "-ec", SCRIPT)


def as_lightweight(command: Sequence[str], variables: Mapping[str, str]) -> Lightweight | None:
    """Recognise the command of a lightweight component.

    Args:
        command: Command and arguments, placeholders filled in.
        variables: Its variables.

    Returns:
        Its parts. None when it is another command, or long enough for the system to refuse it: it is then
        for the system to say so.
    """
    if not is_lightweight(command):
        return None
    sizes = [len(part.encode()) + 1 for part in command]
    sizes += [len(f"{name}={value}".encode()) + 1 for name, value in variables.items()]
    if max(sizes) > _LONGEST or sum(sizes) > _MOST or any("\0" in part for part in command):
        return None
    return Lightweight(program=command[3], arguments=tuple(command[4:]))

"""What a task asks for: keys of secrets and config maps as variables, or all their keys as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.local.refusal import Problems

Kind = Literal["secret", "config map"]

OPTIONS: Mapping[Kind, str] = {"secret": "--secret", "config map": "--config-map"}


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyAsVariable:
    """One key that a task gets as a variable.

    Attributes:
        kind: What holds the key.
        name: Which one.
        key: The key.
        variable: Name of the variable.
        optional: Without it the variable is not set.
    """

    kind: Kind
    name: str
    key: str
    variable: str
    optional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MountedFolder:
    """All keys as the files of a folder.

    Attributes:
        kind: What holds the keys.
        name: Which one.
        path: Where the task expects the folder.
        optional: The task can do without.
    """

    kind: Kind
    name: str
    path: str
    optional: bool


Wanted = KeyAsVariable | MountedFolder

# Kind, and the beginning of its keys, by key of the settings.
_VARIABLES: Mapping[str, tuple[Kind, str]] = {
    "secretAsEnv": ("secret", "secret"), "configMapAsEnv": ("config map", "configMap"),
}  # fmt: skip
_FOLDERS: Mapping[str, tuple[Kind, str]] = {
    "secretAsVolume": ("secret", "secret"), "configMapAsVolume": ("config map", "configMap"),
}  # fmt: skip
SETTINGS = (*_VARIABLES, *_FOLDERS)


def read_wanted(settings: Mapping[str, Any], place: str, problems: Problems) -> tuple[Wanted, ...]:
    """Read what one executor asks for.

    Args:
        settings: Its settings for Kubernetes.
        place: What they are called in problems.
        problems: Takes what is refused: a name that a parameter gives.
    """
    return (*_variables(settings, place, problems), *_folders(settings, place, problems))


def _variables(settings: Mapping[str, Any], place: str, problems: Problems) -> Iterator[KeyAsVariable]:
    for setting, (kind, prefix) in _VARIABLES.items():
        for entry in settings.get(setting) or ():
            name = _name(entry, prefix, ("keyToEnv", "optional"), place, problems)
            for pair in entry.get("keyToEnv") or ():
                problems.keys(pair, (f"{prefix}Key", "envVar"), place)
                yield KeyAsVariable(
                    kind=kind, name=name, key=str(pair[f"{prefix}Key"]), variable=str(pair["envVar"]),
                    optional=bool(entry.get("optional")),
                )  # fmt: skip


def _folders(settings: Mapping[str, Any], place: str, problems: Problems) -> Iterator[MountedFolder]:
    for setting, (kind, prefix) in _FOLDERS.items():
        for entry in settings.get(setting) or ():
            name = _name(entry, prefix, ("mountPath", "optional"), place, problems)
            optional = bool(entry.get("optional"))
            yield MountedFolder(kind=kind, name=name, path=str(entry["mountPath"]), optional=optional)


def _name(
    entry: Mapping[str, Any], prefix: str, known: tuple[str, ...], place: str, problems: Problems
) -> str:
    problems.keys(entry, (*known, f"{prefix}Name", f"{prefix}NameParameter"), place)
    source = entry.get(f"{prefix}NameParameter") or {}
    name = (source.get("runtimeValue") or {}).get("constant") or entry.get(f"{prefix}Name")
    if not name:
        problems.refuse("secret-name-parameter", place)
    return str(name or "")

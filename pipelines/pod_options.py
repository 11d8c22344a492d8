"""Parts of a pod that build options may set, checked as Kubernetes would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from components.common.config import build_config
from components.common.errors import BadInputError
from pipelines.local.resources import memory_bytes

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True, slots=True)
class Toleration:
    """A taint of nodes on which a task may run all the same.

    Attributes:
        key: Of the taint; none: any.
        operator: `Equal` or `Exists`.
        value: Of the taint, for `Equal`.
        effect: `NoSchedule`, `PreferNoSchedule` or `NoExecute`; none: any.
    """

    key: str | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None

    def __post_init__(self) -> None:
        """Reject what Kubernetes would, naming the value."""
        _check_texts(key=self.key, value=self.value)
        if self.operator not in ("Equal", "Exists"):
            raise ValueError(f"`operator` must be Equal or Exists, but got {self.operator=}.")
        if self.effect not in (None, "NoSchedule", "PreferNoSchedule", "NoExecute"):
            raise ValueError(f"`effect` is none that Kubernetes knows: {self.effect=}.")
        if (self.operator == "Exists" and self.value is not None) or (
            self.operator == "Equal" and self.key is None
        ):
            raise ValueError("`Exists` takes no `value`, and `Equal` needs a `key`.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """A folder of the container: of a claim, or empty at first.

    Attributes:
        path: Where the task sees it; absolute.
        claim: Name of a PersistentVolumeClaim of the namespace; none: an empty folder.
        sub_path: Folder of the claim.
        size: Most that an empty folder may hold, such as `20Gi`.
        medium: `Memory` for an empty folder in memory, which counts as the task's.
    """

    path: str = ""
    claim: str | None = None
    sub_path: str | None = None
    size: str | None = None
    medium: str | None = None

    def __post_init__(self) -> None:
        """Reject what Kubernetes would, naming the value."""
        _check_texts(claim=self.claim, sub_path=self.sub_path, size=self.size)
        if self.size and not _MEMORY.fullmatch(self.size):
            raise ValueError(f"`size` must be like `20Gi`, but got {self.size=}.")
        if not self.path.startswith("/"):
            raise ValueError(f"`path` must be absolute, but got {self.path=}.")
        if self.claim and (self.size or self.medium):
            raise ValueError("`size` and `medium` are of empty folders, and there is a `claim`.")
        if self.sub_path and not self.claim:
            raise ValueError("`sub_path` is of a `claim`, and there is none.")
        if self.medium not in (None, "Memory"):
            raise ValueError(f"`medium` must be Memory or none, but got {self.medium=}.")


def _check_texts(**values: object) -> None:
    for name, value in values.items():
        if value is not None and not (value and isinstance(value, str)):
            raise ValueError(f"`{name}` must be a text, but got {name}={value!r}.")


def read_parts(kind: type[Part], content: Any, where: str) -> list[Part]:
    """Read a list of mappings of a kind's fields.

    Raises:
        BadInputError: It is no such list, or one of them is wrong.
    """
    if not isinstance(content, (list, tuple)) or not all(isinstance(one, Mapping) for one in content):
        raise BadInputError(f"`{where}` must be a list of mappings", value=content)
    return [build_config(kind, one, where=where, noun="build option") for one in content]


_NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_LABEL = re.compile(rf"([a-z0-9.-]{{1,253}}/)?{_NAME}"), re.compile(rf"({_NAME})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*"), re.compile(r".*", re.DOTALL)


def check_names(name: str, content: object, *, labels: bool) -> None:
    """Refuse what is no mapping of names to texts.

    Args:
        name: Of the field.
        content: Its value.
        labels: Names and texts must be those of labels; otherwise names are those of variables.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f"`{name}` must map names to texts, but got {name}={content!r}.")
    forms, what = (_LABEL, "label") if labels else (_VARIABLE, "variable")
    for key, value in content.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise ValueError(f"`{name}` must map names to texts, but got {{{key!r}: {value!r}}}.")
        if not (forms[0].fullmatch(key) and forms[1].fullmatch(value)):
            raise ValueError(f"`{name}` has what is no {what}: {{{key!r}: {value!r}}}.")


_CPU = re.compile(r"\d+m|\d+(\.\d+)?")
_MEMORY = re.compile(r"\d+([KMGTPE]i?)?")


def check_amounts(what: str, request: object, limit: object) -> None:
    """Refuse amounts that Kubernetes cannot read, and a request above its limit.

    Args:
        what: `cpu` or `memory`.
        request: What is asked for, or None.
        limit: The most of it, or None.

    Raises:
        ValueError: One is wrong.
    """
    pattern = _CPU if what == "cpu" else _MEMORY
    for name, value in (("request", request), ("limit", limit)):
        if value is not None and not pattern.fullmatch(str(value)):
            example = "`500m` or `2`" if what == "cpu" else "`512Mi` or `4Gi`"
            raise ValueError(f"`{what}_{name}` must be like {example}, but got {what}_{name}={value!r}.")
    if request is not None and limit is not None and _amount(what, request) > _amount(what, limit):
        raise ValueError(f"`{what}_request <= {what}_limit` must hold, but got {request} and {limit}.")


def _amount(what: str, value: object) -> float:
    text = str(value)
    if what == "memory":
        return memory_bytes({"resourceMemoryRequest": text})
    return float(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)

"""What tasks ask of a cluster, by room or by door: build options under `tasks`."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.common.config import build_config, require_known
from components.common.errors import BadInputError
from pipelines.doors import rooms
from pipelines.pod_options import Toleration, Volume, check_amounts, check_names, read_parts

EVERY = "every"  # the key for all tasks

Settings = Mapping[str, Mapping[str, Any]]
_OPTION = "build option"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskOptions:
    """What one task asks for.

    Attributes:
        cpu_request: Processors, such as `500m` or `2`.
        cpu_limit: The most of them.
        memory_request: Bytes, such as `512Mi` or `4Gi`.
        memory_limit: The most of them.
        accelerator: Resource that a device plugin offers, such as `nvidia.com/gpu`; none: no accelerator.
        accelerators: How many of it. At least 1.
        timeout_seconds: Longest life of a pod, the pull of its image included. At least 1; none: no end.
        retries: Further attempts of a task that failed. Count, at least 0.
        retry_wait_seconds: Wait before the first of them; each later one is twice as long. At least 0.
        node_selector: Labels that the node must have.
        tolerations: Taints that are tolerated, each a mapping of `Toleration`.
        volumes: Folders of the container that outlast it or are larger than its own, mappings of `Volume`.
        labels: Of the pod, beside our own.
        variables: Of the container, such as `AWS_ENDPOINT_URL`. No secrets: packages are read by many.
    """

    cpu_request: str | int | float | None = None
    cpu_limit: str | int | float | None = None
    memory_request: str | int | None = None
    memory_limit: str | int | None = None
    accelerator: str | None = None
    accelerators: int = 1
    timeout_seconds: int | None = None
    retries: int = 0
    retry_wait_seconds: int = 5
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    tolerations: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[Mapping[str, Any]] = ()
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """Reject what Kubernetes would, naming the value."""
        check_amounts("cpu", self.cpu_request, self.cpu_limit)
        check_amounts("memory", self.memory_request, self.memory_limit)
        for name, least in (("accelerators", 1), ("retries", 0), ("retry_wait_seconds", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name} >= {least}` must hold, but got {name}={getattr(self, name)}.")
        seconds: Any = self.timeout_seconds
        if seconds is not None and (type(seconds) is not int or seconds < 1):
            raise ValueError(f"`timeout_seconds >= 1` must hold, but got timeout_seconds={seconds!r}.")
        if self.accelerator is not None and "/" not in str(self.accelerator):
            raise ValueError(
                f"`accelerator` must be named like nvidia.com/gpu, but got {self.accelerator=}."
            )
        for name in ("node_selector", "labels"):
            check_names(name, getattr(self, name), labels=True)
        check_names("variables", self.variables, labels=False)
        self.all_tolerations()
        self.all_volumes()

    def all_tolerations(self) -> list[Toleration]:
        """Return the tolerations, checked."""
        return read_parts(Toleration, self.tolerations, "tolerations")

    def all_volumes(self) -> list[Volume]:
        """Return the volumes, checked."""
        return read_parts(Volume, self.volumes, "volumes")


def check_tasks(tasks: Settings) -> None:
    """Check the build option `tasks`.

    Raises:
        BadInputError: A key is neither `every`, nor a room, nor a door; or a value is wrong.
    """
    require_known(tasks, {EVERY, *rooms(), *rooms().values()}, where=f"{_OPTION} `tasks`")
    for name, settings in tasks.items():
        if not isinstance(settings, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - from a file
            raise BadInputError("must be a mapping", where=f"{_OPTION} `tasks.{name}`", value=settings)
        build_config(TaskOptions, settings, where=f"tasks.{name}", noun=_OPTION)
    for door in rooms():
        options_of(door, tasks)


def options_of(door: str, tasks: Settings) -> TaskOptions:
    """Return what the tasks of a door ask for.

    Key by key what is said last holds: for every task, its room, itself; in `builds/default.yaml`, `tasks`.

    Args:
        door: Such as `train_trials`.
        tasks: The build option.

    Raises:
        BadInputError: They do not go together, such as a request above the limit of its room.
    """
    said: dict[str, Any] = {}
    for source in (default_tasks(), tasks):
        for name in dict.fromkeys((EVERY, rooms()[door], door)):
            said |= source.get(name, {})
    return build_config(TaskOptions, said, where="tasks", noun=f"all that holds for {door}, {_OPTION}")


@functools.cache
def default_tasks() -> Settings:
    """Return `tasks` of `builds/default.yaml`."""
    text = (Path(__file__).parent / "builds" / "default.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["tasks"]

"""Build options: what is fixed when a package is compiled and is part of its digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.common.config import build_config
from components.common.errors import BadInputError
from pipelines.task_options import check_tasks


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """Options that KFP cannot take as parameters of a run.

    Attributes:
        rounds: Rounds of the search, unrolled in the graph. Count, 1 to 10.
        parallelism: Trial tasks that run at once. Count, at least 1.
        trials_per_task: Trials that share a task, because a pod costs ten seconds. Count, at least 1.
        tasks: What tasks ask of a cluster, by room or by door, see `TaskOptions`; the rest is as in
            `builds/default.yaml`.
        images: Reference by logical image (`millrace/validation`); an image not named keeps its name.
        allowed_hosts: Hosts that http(s) sources may come from although their addresses are not public.
        secrets: Keys by name of the secret, that tasks which read sources may have: `secret:NAME/KEY`.
        store_secret: Optional secret of the object store, with the keys `accesskey` and `secretkey`; none:
            tasks have what the identity of their service account gives them.
        deployer_secret: Optional secret of the account that may deploy, with the key `token`.
    """

    rounds: int = 1
    parallelism: int = 2
    trials_per_task: int = 1
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    images: Mapping[str, Any] = field(default_factory=dict)
    allowed_hosts: list[str] = field(default_factory=list)
    secrets: Mapping[str, list[str]] = field(default_factory=dict)
    store_secret: str | None = "mlpipeline-minio-artifact"  # noqa: S105 - which Secret, not what is in it
    deployer_secret: str | None = "millrace-deployer-token"  # noqa: S105 - which Secret, not what is in it

    def __post_init__(self) -> None:
        """Reject impossible options at once, and those that this version would silently ignore."""
        if not 1 <= self.rounds <= 10:
            raise ValueError(f"`1 <= rounds <= 10` must hold, but got {self.rounds=}.")
        if self.parallelism < 1:
            raise ValueError(f"`parallelism >= 1` must hold, but got {self.parallelism=}.")
        if self.trials_per_task < 1:
            raise ValueError(f"`trials_per_task >= 1` must hold, but got {self.trials_per_task=}.")
        for name in ("tasks", "images", "secrets"):
            _require(getattr(self, name), name, Mapping, "be a mapping")
        for name in ("store_secret", "deployer_secret"):
            _require(getattr(self, name) or None, name, str | None, "name a secret, or be null")
        if self.tasks:  # it imports kfp, which a run of a package can do without
            check_tasks(self.tasks)
        if not _are_texts(self.allowed_hosts):
            raise ValueError(f"`allowed_hosts` must be a list of hosts, but got {self.allowed_hosts!r}.")
        if bad := [name for name, keys in self.secrets.items() if not (keys and _are_texts(keys))]:
            raise ValueError(f"`secrets` must map names to lists of keys, but {bad[0]!r} does not.")
        if bad := [key for key, value in self.images.items() if not isinstance(value, str)]:
            raise ValueError(f"`images` must map names to references, but {bad[0]!r} does not.")


def _require(value: object, name: str, kind: Any, what: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"`{name}` must {what}, but got {value!r}.")


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def read_build(file: Path) -> Build:
    """Read build options from a YAML file.

    Args:
        file: A mapping of `Build`'s fields; any may be missing.

    Raises:
        BadInputError: The file is missing, no YAML mapping, or a key or value is wrong.
    """
    return build_config(Build, read_mapping(file), where=str(file), noun="build file")


def read_yaml(text: str) -> Any:
    """Read YAML as people write it: `1e3` is a number, which YAML 1.1 takes for text.

    A date stays the text it was written as: KFP's parameters know no dates.

    Raises:
        YAMLError: It is no YAML.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader


class _Loader(yaml.SafeLoader):
    pass


_EXPONENT = re.compile(r"[-+]?(?:\d[\d_]*\.?|\d*\.\d+)[eE][-+]?\d+$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_str)


def read_mapping(file: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping with string keys; an empty file is an empty mapping.

    Raises:
        BadInputError: The file is missing, is no YAML, or holds something else.
    """
    try:
        content = read_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(f"file cannot be read: {error.strerror}", where=file) from error
    except UnicodeDecodeError as error:
        raise BadInputError("file is no UTF-8 text", where=file) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)  # not the line itself, which may hold a secret
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadInputError(f"not valid YAML{place}", where=file) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise BadInputError("must be a mapping of names", where=file, value=type(content).__name__)
    return content

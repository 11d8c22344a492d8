"""Parameters of a run: from a file and from `-p key=value`, as Python values with absolute paths."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.common.errors import BadInputError
from components.common.modules import pin_module
from pipelines.build import read_mapping, read_yaml

_PATHS = ("module_uri", "baseline_uri")
_ONE_SOURCE = "data"


def gather_parameters(
    file: Path | None,
    settings: Iterable[str],
    types: Mapping[str, str],
    *,
    earlier: Mapping[str, Any] | None = None,
    given: Mapping[str, Any] | None = None,
    paths: bool = True,
    on_cluster: bool = False,
) -> dict[str, Any]:
    """Merge what an earlier run used, a parameter file, values, and settings of the command line.

    Args:
        file: A YAML mapping of parameters, or None.
        settings: `key=value`; the value is YAML, except where the parameter is a string. `key.inner=value`
            sets one key of a mapping. `sources=PATH` names one source.
        types: KFP's parameter type by parameter name, such as `STRING` or `STRUCT`.
        earlier: Parameters of a run; all others win over them.
        given: Values by name; they win over the file, and settings over them.
        paths: The parameters are those of our pipelines, whose paths have known names.
        on_cluster: The run's tasks see none of this machine's files.

    Returns:
        Values by name. Of our pipelines, relative paths of `sources`, `module_uri`, `baseline_uri` and
        `model_uri` are made absolute against the working directory: a task has another one. `module_uri`
        is pinned to what it holds now. On a cluster they stay as they are.

    Raises:
        BadInputError: The file cannot be read, or a setting has no `=`, no valid YAML, or reaches into
            something that is no mapping; or a relative path is meant for a cluster, or one of a
            store for what tasks read from a volume only, or a baseline, which is not to be had there.
    """
    read = read_mapping(file) if file else {}
    values = copy.deepcopy({**(earlier or {}), **read, **(given or {})})
    for setting in settings:
        _apply(values, setting, types)
    if not paths:
        return values
    if isinstance(values.get("sources"), (str, list)):
        values["sources"] = {_ONE_SOURCE: values["sources"]}
    settle = _on_cluster if on_cluster else _absolute
    found = {**values}
    for name in (name for name in _PATHS if name in values):
        if on_cluster:
            _CLUSTER_RULES[name](values[name])
        else:
            found[name] = _settled(values[name], settle)
    if isinstance(values.get("model_uri"), str):
        found["model_uri"] = _settled(values["model_uri"], settle)
    if isinstance(values.get("sources"), dict):
        found["sources"] = {name: _source(one, settle) for name, one in values["sources"].items()}
    if isinstance(found.get("module_uri"), str) and not on_cluster:
        found["module_uri"] = pin_module(found["module_uri"])
    return found


def _apply(values: dict[str, Any], setting: str, types: Mapping[str, str]) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        shown = re.match(r"[\w.]*", setting)
        raise BadInputError(
            "setting must have the form key=value", where="option -p", value=shown[0] if shown else None
        )
    *outer, last = key.split(".")
    for name in outer:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise BadInputError(f"`{name}` is no mapping", where="option -p", value=key)
        values = inner
    values[last] = text if types.get(key) == "STRING" and text != "null" else _parse(text, key)


def _parse(text: str, key: str) -> Any:
    try:
        return read_yaml(text)
    except yaml.YAMLError as error:
        raise BadInputError(f"value of `{key}` is no valid YAML", where="option -p") from error


def _source(source: Any, settle: Callable[[str], str]) -> Any:
    """Settle the uris of a source and its references to files; nothing else in it is a path."""
    if not isinstance(source, dict):
        return _settled(source, settle)
    found = {**source, "uri": _settled(source["uri"], settle)} if "uri" in source else {**source}
    if isinstance(found.get("credentials"), dict):
        found["credentials"] = {key: _reference(one, settle) for key, one in found["credentials"].items()}
    return found


def _reference(value: Any, settle: Callable[[str], str]) -> Any:
    path = value.removeprefix("file:") if isinstance(value, str) else ""
    return f"file:{_settled(path, settle)}" if path and path != value else value


def _settled(value: Any, settle: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _settled(item, settle) for key, item in value.items()}
    if isinstance(value, list):
        return [_settled(item, settle) for item in value]
    return value if not isinstance(value, str) or "://" in value else settle(value)


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _on_cluster(path: str) -> str:
    """Take an absolute path, which a volume may have; a relative one was meant for this machine."""
    if not os.path.isabs(path):
        fix = "upload it, and name it as s3://bucket/key"
        raise BadInputError("a file of this machine is not there on a cluster", value=path, fix=fix)
    return path


def _require_volume(uri: Any) -> None:
    """Refuse a module that no pod can open: the tasks that are given it read files, from no store."""
    if not isinstance(uri, str) or uri.removeprefix("file://").startswith("/"):
        return
    scheme, store, _ = uri.partition("://")
    raise BadInputError(
        "tasks on a cluster read it from a mounted volume only", where="parameter `module_uri`",
        value=f"{scheme}://…" if store else uri,
        fix="put it on one that all tasks mount, by the build option "
        "`tasks: {every: {volumes: [{path: /shared, claim: NAME}]}}`, and name it as /shared/…",
    )  # fmt: skip


def _refuse_baseline(uri: Any) -> None:
    """Refuse a baseline: KFP's launcher fails each task whose input lies in no store (`launcher_v2.go`)."""
    if uri is not None:
        what = "on a cluster no model can be named to compare with: Kubeflow hands on what its runs made"
        raise BadInputError(what, where="parameter `baseline_uri`", fix="leave it out")


_CLUSTER_RULES: Mapping[str, Callable[[Any], None]] = {
    "module_uri": _require_volume,
    "baseline_uri": _refuse_baseline,
}

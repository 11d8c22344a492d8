"""Holds JSON against the models of the package `kfp-server-api`, made from KFP's own API definition."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import kfp_server_api

_PRIMITIVE = {"str": str, "int": int, "bool": bool, "float": (int, float)}
API = kfp_server_api.ApiClient()


class NotTheApiError(AssertionError):
    """A message that KFP's API does not have."""


def validated(kind: str, content: Any, where: str = "") -> Any:
    """Return a message that is one of the API; an unknown key or a value of another type raises."""
    where = where or kind
    if found := re.fullmatch(r"list\[(.*)\]", kind):
        _require(isinstance(content, list), where, content)
        for index, one in enumerate(content):
            validated(found[1], one, f"{where}[{index}]")
    elif found := re.fullmatch(r"dict\(str, (.*)\)", kind):
        _require(isinstance(content, dict), where, content)
        for key, one in content.items():
            validated(found[1], one, f"{where}.{key}")
    elif kind in _PRIMITIVE:
        _require(isinstance(content, _PRIMITIVE[kind]), where, content)
    elif kind == "datetime":
        _require(isinstance(datetime.fromisoformat(content), datetime), where, content)
    elif kind != "object":
        _model(getattr(kfp_server_api.models, kind), content, where)
    return content


def _model(model: Any, content: Any, where: str) -> None:
    if allowed := getattr(model, "allowable_values", None):
        _require(content in allowed, where, content)
        return
    _require(isinstance(content, dict), where, content)
    kinds = {key: model.openapi_types[name] for name, key in model.attribute_map.items()}
    for key, value in content.items():
        _require(key in kinds, f"{where}.{key}", "no such field")
        validated(kinds[key], value, f"{where}.{key}")


def _require(holds: bool, where: str, value: Any) -> None:
    if not holds:
        raise NotTheApiError(f"{where}: {value!r}")

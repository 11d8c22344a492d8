"""Holds JSON against the models of the package `kfp-server-api`, made from KFP's own API definition."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import kfp_server_api

# How KFP's definition says it; its schemas list none as required, because answers may lack anything.
_REQUIRED = re.compile(r"^\s*(Required input|Input\. Required)", re.MULTILINE)
_PRIMITIVE = {"str": str, "int": int, "bool": bool, "float": (int, float)}
API = kfp_server_api.ApiClient()


class NotTheApiError(AssertionError):
    """A message that KFP's API does not have."""


def validated(kind: str, content: Any, where: str = "", *, asked: bool = False) -> Any:
    """Return a message that is one of the API.

    An unknown key or a value of another type raises; of what is `asked`, a missing or empty field that KFP
    requires, too.
    """
    where = where or kind
    if found := re.fullmatch(r"list\[(.*)\]", kind):
        _require(isinstance(content, list), where, content)
        for index, one in enumerate(content):
            validated(found[1], one, f"{where}[{index}]", asked=asked)
    elif found := re.fullmatch(r"dict\(str, (.*)\)", kind):
        _require(isinstance(content, dict), where, content)
        for key, one in content.items():
            validated(found[1], one, f"{where}.{key}", asked=asked)
    elif kind in _PRIMITIVE:
        _require(isinstance(content, _PRIMITIVE[kind]), where, content)
    elif kind == "datetime":
        _require(isinstance(datetime.fromisoformat(content), datetime), where, content)
    elif kind != "object":
        _model(getattr(kfp_server_api.models, kind), content, where, asked)
    return content


def required(model: Any) -> set[str]:
    """Return the fields that whoever asks must give, by what KFP's definition says of each."""
    keys = model.attribute_map.items()
    return {key for name, key in keys if _REQUIRED.search(getattr(model, name).__doc__)}


def _model(model: Any, content: Any, where: str, asked: bool) -> None:
    if allowed := getattr(model, "allowable_values", None):
        _require(content in allowed, where, content)
        return
    _require(isinstance(content, dict), where, content)
    kinds = {key: model.openapi_types[name] for name, key in model.attribute_map.items()}
    for key, value in content.items():
        _require(key in kinds, f"{where}.{key}", "no such field")
        validated(kinds[key], value, f"{where}.{key}", asked=asked)
    for key in required(model) if asked else ():
        _require(bool(content.get(key)), f"{where}.{key}", "required, and missing")


def _require(holds: bool, where: str, value: Any) -> None:
    if not holds:
        raise NotTheApiError(f"{where}: {value!r}")

"""Building a room's frozen config from the mapping a user wrote, with errors that name the key."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar, get_type_hints

from components.common.errors import BadInputError

Config = TypeVar("Config")


def build_config(
    kind: type[Config], options: Mapping[str, Any], *, where: str, noun: str = "parameter"
) -> Config:
    """Build a config dataclass from a mapping of its fields.

    KFP carries every number of a mapping as a double, so `3.0` is taken for a field of type `int`.

    Args:
        kind: A frozen dataclass whose fields have defaults and which checks itself when built.
        options: The fields to set; any may be missing.
        where: Name of what the mapping came from, such as `validation`; errors tell it beside the key.
        noun: What bears that name.

    Returns:
        The config.

    Raises:
        BadInputError: A key is not a field (the nearest field is suggested), a value has another
            type than its field, or the config refused its values with a `ValueError`.
    """
    hints = get_type_hints(kind)
    # typing has no public name for "any dataclass"
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    place = f"{noun} `{where}`"
    require_known(options, known, where=place)
    values = {key: _typed(value, hints[key], key, place) for key, value in options.items()}
    try:
        return kind(**values)
    except ValueError as error:
        told = re.sub(r"\bself\.(\w+=)", r"\1", str(error)).removesuffix(".")  # `{self.x=}` is shown so
        raise BadInputError(told, where=place) from error


def require_known(keys: Collection[str], known: Collection[str], *, where: str) -> None:
    """Refuse keys that nobody reads, and suggest the nearest one that somebody does.

    Args:
        keys: What the user wrote.
        known: What is read.
        where: Parameter or file that holds the keys.

    Raises:
        BadInputError: A key is not among `known`.
    """
    for key in keys:
        if key not in known:
            raise BadInputError(f"unknown key `{key}`", where=where, fix=_suggestion(key, known))


def _suggestion(key: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(sorted(known))}"


def whole(value: Any) -> Any:
    """Return integral floats as ints, inside lists and mappings too: KFP carries numbers as doubles."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    return value


def _typed(value: Any, hint: Any, key: str, place: str) -> Any:
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and not isinstance(value, bool) and isinstance(whole(value), int):
        return whole(value)
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint is str and isinstance(value, str):
        return value
    if hint not in (bool, int, float, str):  # mappings, lists and optionals are the config's to check
        return value
    what = f"`{key}` must be of type {hint.__name__}"
    raise BadInputError(what, where=place, value=value, fix="correct the type")

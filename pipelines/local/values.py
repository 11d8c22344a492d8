"""Values of parameters as KFP types them."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from components.common.errors import BadInputError

PARAMETER_TYPES = {
    "NUMBER_INTEGER": "a whole number",
    "NUMBER_DOUBLE": "a number",
    "STRING": "text",
    "BOOLEAN": "true or false",
    "LIST": "a list",
    "STRUCT": "a mapping",
    "TASK_FINAL_STATUS": "the final status of a task",
}


def convert(value: Any, kind: str, where: str) -> Any:
    """Return a value in the type of a parameter.

    Args:
        value: A Python value; never None, which means unset.
        kind: One of `PARAMETER_TYPES`.
        where: The parameter, for the error.

    Returns:
        The value. Integral floats become ints for `NUMBER_INTEGER` and ints become floats for
        `NUMBER_DOUBLE`; numbers inside lists and mappings stay as they are.

    Raises:
        BadInputError: The value is of another type, is not finite, or holds what JSON has no form for.
    """
    if kind == "NUMBER_INTEGER" and _is_number(value) and float(value).is_integer():
        return int(value)
    if kind == "NUMBER_DOUBLE" and _is_number(value) and math.isfinite(value):
        return float(value)
    wanted = {"STRING": str, "BOOLEAN": bool, "LIST": list, "STRUCT": dict}.get(kind, dict)
    if isinstance(value, wanted) and not kind.startswith("NUMBER"):
        _require_json(value, where)
        return value
    what = f"must be {PARAMETER_TYPES[kind]}"
    raise BadInputError(what, where=where, value=value, fix="correct the type")


def parse(text: str, kind: str, where: str) -> Any:
    """Return what a task wrote into the file of an output parameter, in the parameter's type.

    Raises:
        BadInputError: The text is no value of that type.
    """
    if kind == "STRING":
        return text
    try:
        value = json.loads(text.lower() if kind == "BOOLEAN" else text)
    except ValueError as error:
        raise BadInputError(f"must be {PARAMETER_TYPES[kind]}", where=where, value=text) from error
    return convert(value, kind, where)


def as_text(value: Any) -> str:
    """Return a value as KFP puts it into a command: text as it is, all else as JSON, 2.0 as `2`."""
    return value if isinstance(value, str) else json.dumps(as_sent(value))


def as_sent(value: Any) -> Any:
    """Return a value as KFP's JSON carries it: numbers without a fraction are whole, inside lists too."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [as_sent(inside) for inside in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: as_sent(inside) for name, inside in cast("dict[str, Any]", value).items()}
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _require_json(value: Any, where: str) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        fix = "use text, finite numbers, booleans, lists and mappings with text keys"
        raise BadInputError(f"cannot be written as JSON: {error}", where=where, fix=fix) from error

"""Placeholders in commands, such as `{{$}}` and `{{$.inputs.parameters['rows']}}`.

See the KFP launcher (`backend/src/v2/component/launcher_v2.go`) for what each stands for. Here they are
replaced in one pass, so that text which came in as a value is never taken for a placeholder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.values import as_text

_ANY = re.compile(r"\{\{\$[^{}]*\}\}")
_KNOWN = re.compile(
    r"\{\{\$(?:"
    r"|\.outputs\.output_file"
    r"|\.inputs\.parameters\['(?P<input>[^']+)'\]"
    r"|\.outputs\.parameters\['(?P<output>[^']+)'\]\.output_file"
    r"|\.(?P<side>inputs|outputs)\.artifacts\['(?P<artifact>[^']+)'\]\.(?:path|uri)"
    r")\}\}"
)


def unknown_placeholder(text: str) -> str | None:
    """Return the first placeholder of a text that is not understood, or None."""
    return next((found for found in _ANY.findall(text) if not _KNOWN.fullmatch(found)), None)


def has_placeholder(text: str) -> bool:
    """Tell whether a text holds anything that looks like a placeholder."""
    return _ANY.search(text) is not None


def fill(text: str, executor_input: Mapping[str, Any], where: str) -> str:
    """Replace the placeholders of one part of a command.

    Args:
        text: The part; all its placeholders are known.
        executor_input: KFP's `ExecutorInput` as JSON values.
        where: The task, for the error.

    Raises:
        BadInputError: A placeholder names an input that has no value, or a port that does not exist.
    """

    def replace(found: re.Match[str]) -> str:
        try:
            return _value(found, executor_input)
        except (KeyError, IndexError) as error:
            fix = "give the input a value, or a default in its component"
            raise BadInputError("placeholder has no value", where=where, value=found[0], fix=fix) from error

    return _KNOWN.sub(replace, text)


def _value(found: re.Match[str], executor_input: Mapping[str, Any]) -> str:
    if name := found["input"]:
        return as_text(executor_input["inputs"]["parameterValues"][name])
    if name := found["output"]:
        return str(executor_input["outputs"]["parameters"][name]["outputFile"])
    if name := found["artifact"]:
        return str(executor_input[found["side"]]["artifacts"][name]["artifacts"][0]["uri"])
    if found[0] == "{{$}}":
        return json.dumps(executor_input)
    return str(executor_input["outputs"]["outputFile"])

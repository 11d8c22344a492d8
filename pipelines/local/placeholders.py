"""Placeholders, such as `{{$}}`, `{{$.inputs.parameters['rows']}}` and `{{$.pipeline_job_name}}`.

What each stands for is in KFP's launcher (`backend/src/v2/component/launcher_v2.go`) and driver
(`backend/src/v2/driver/resolve.go`). Here they are replaced in one pass, so that text which came in as a
value is never taken for a placeholder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from components.common.errors import BadInputError
from pipelines.local.values import as_sent, as_text

JOB_NAMES = (
    "pipeline_job_name", "pipeline_job_resource_name", "pipeline_job_uuid", "pipeline_task_name",
    "pipeline_task_uuid", "pipeline_job_create_time_utc", "pipeline_job_schedule_time_utc", "pipeline_root",
    "workspace_path",
)  # fmt: skip

_ANY = re.compile(r"\{\{\$[^{}]*\}\}")
_KNOWN = re.compile(
    r"\{\{\$(?:"
    r"|\.outputs\.output_file|\.outputMetadataUri"
    rf"|\.(?P<job>{'|'.join(JOB_NAMES)})"
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


def inputs_named(text: str) -> set[str]:
    """Return the names of the input parameters whose values a text shows."""
    return {found["input"] for found in _KNOWN.finditer(text) if found["input"]}


def names_workspace(text: str) -> bool:
    """Tell whether a text shows the path of the workspace."""
    return "{{$.workspace_path}}" in text


def fill(
    text: str, executor_input: Mapping[str, Any], where: str, names: Mapping[str, str] | None = None
) -> str:
    """Replace the placeholders of a text.

    Args:
        text: The text; all its placeholders are known.
        executor_input: KFP's `ExecutorInput` as JSON values.
        where: The task, for the error.
        names: What the placeholders of the job stand for, by their names.

    Raises:
        BadInputError: A placeholder names an input that has no value, or a port that does not exist.
    """

    def replace(found: re.Match[str]) -> str:
        try:
            return _value(found, executor_input, names or {})
        except (KeyError, IndexError) as error:
            fix = "give the input a value, or a default in its component"
            raise BadInputError("placeholder has no value", where=where, value=found[0], fix=fix) from error

    return _KNOWN.sub(replace, text)


def fill_all(value: Any, executor_input: Mapping[str, Any], where: str, names: Mapping[str, str]) -> Any:
    """Replace the placeholders in all texts of a value, those inside lists and mappings too."""
    if isinstance(value, str):
        return fill(value, executor_input, where, names)
    if isinstance(value, list):
        return [fill_all(inside, executor_input, where, names) for inside in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {
            fill(key, executor_input, where, names): fill_all(inside, executor_input, where, names)
            for key, inside in items
        }
    return value


def _value(found: re.Match[str], executor_input: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if name := found["job"]:
        return names[name]
    if name := found["input"]:
        return as_text(executor_input["inputs"]["parameterValues"][name])
    if name := found["output"]:
        return str(executor_input["outputs"]["parameters"][name]["outputFile"])
    if name := found["artifact"]:
        return str(executor_input[found["side"]]["artifacts"][name]["artifacts"][0]["uri"])
    if found[0] == "{{$}}":
        return json.dumps(as_sent(dict(executor_input)))
    return str(executor_input["outputs"]["outputFile"])

"""A task's command: its parts with `IfPresent` and `Concat` decided and placeholders filled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pipelines.local.placeholders import fill

_OPENINGS = ('{"IfPresent":', '{"Concat":')


def compose_command(
    parts: Sequence[str], executor_input: Mapping[str, Any], where: str, names: Mapping[str, str]
) -> list[str]:
    """Return the words of a command.

    Args:
        parts: Command and arguments as the package has them.
        executor_input: KFP's `ExecutorInput` as JSON values.
        where: The task, for errors.
        names: What the placeholders of the job stand for.

    Raises:
        BadInputError: A placeholder has no value.
    """
    inputs = executor_input["inputs"]
    present = {*inputs["parameterValues"], *inputs["artifacts"]}
    words = [word for part in parts for word in _words(structure(part), present)]
    return [fill(word, executor_input, where, names) for word in words]


def structure(part: str) -> Any:
    """Return one part of a command: text, or `{"IfPresent": …}` or `{"Concat": …}` as a mapping."""
    return json.loads(part) if part.startswith(_OPENINGS) else part


def texts(structured: Any) -> Iterator[str]:
    """Yield all texts that may become part of a command, whichever way it is decided."""
    if isinstance(structured, str):
        yield structured
    elif isinstance(structured, list):
        for inside in cast("list[Any]", structured):
            yield from texts(inside)
    elif isinstance(structured, dict):
        content = cast("dict[str, Any]", structured)
        choice = content.get("IfPresent") or {}
        for inside in (content.get("Concat"), choice.get("Then"), choice.get("Else")):
            yield from texts(inside)


def _words(structured: Any, present: set[str]) -> list[str]:
    if structured is None:
        return []
    if isinstance(structured, str):
        return [structured]
    if isinstance(structured, list):
        return [word for inside in cast("list[Any]", structured) for word in _words(inside, present)]
    if "Concat" in structured:
        return ["".join(word for inside in structured["Concat"] for word in _words(inside, present))]
    choice: Mapping[str, Any] = structured["IfPresent"]
    return _words(choice["Then"] if choice["InputName"] in present else choice.get("Else"), present)

"""Reading what stands in a document, whatever its shape: nothing here was validated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast


def at(content: object, *keys: str | int) -> Any:
    """Return what stands under keys and indexes, or None."""
    for key in keys:
        if isinstance(content, dict) and isinstance(key, str):
            content = cast("dict[str, Any]", content).get(key)
        elif isinstance(content, list) and isinstance(key, int) and key < len(cast("list[Any]", content)):
            content = cast("list[Any]", content)[key]
        else:
            return None
    return content


def mapping(content: object, *keys: str | int) -> Mapping[str, Any]:
    """Return the mapping under keys; an empty one when there is none."""
    found = at(content, *keys)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def listed(content: object, *keys: str | int) -> list[Any]:
    """Return the list under keys; an empty one when there is none."""
    found = at(content, *keys)
    return cast("list[Any]", found) if isinstance(found, list) else []


def text(content: object, *keys: str | int) -> str | None:
    """Return the text under keys, or None."""
    found = at(content, *keys)
    return found if isinstance(found, str) else None


def texts(content: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path, such as `spec.containers[0].image`."""
    if isinstance(content, str):
        yield path, content
    for key, value in mapping(content).items():
        yield from texts(value, f"{path}.{key}" if path else str(key))
    for index, value in enumerate(listed(content)):
        yield from texts(value, f"{path}[{index}]")

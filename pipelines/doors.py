"""All doors, and the room of each."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.common import images

_ROOMS = Path(images.__file__).parents[1]


@functools.cache
def doors() -> Mapping[str, Any]:
    """Return every door, a component of KFP, by its name, such as `train_trials`."""
    return {name: door for _, name, door in _found()}


@functools.cache
def rooms() -> Mapping[str, str]:
    """Return the room of each door by the door's name."""
    return {name: room for room, name, _ in _found()}


@functools.cache
def _found() -> list[tuple[str, str, Any]]:
    from kfp.dsl.base_component import BaseComponent

    found: list[tuple[str, str, Any]] = []
    for file in sorted(_ROOMS.glob("*/component.py")):
        module = importlib.import_module(f"components.{file.parent.name}.component")
        named = ((name, door) for name, door in vars(module).items() if isinstance(door, BaseComponent))
        found += [(file.parent.name, name, door) for name, door in named]
    return found

"""What stands in the repository, found by looking: rooms, their doors and the sources."""

import importlib
import inspect
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMPONENTS = ROOT / "components"


def rooms(*, having: str = "__init__.py") -> list[str]:
    """Names of the rooms that hold a file, sorted; `common` is none."""
    return sorted(
        path.parent.name for path in COMPONENTS.glob(f"*/{having}") if path.parent.name != "common"
    )


def doors(folder: str) -> dict:
    """The doors that a folder's `component.py` defines itself, by name."""
    from kfp.dsl.base_component import BaseComponent

    if not (COMPONENTS / folder / "component.py").exists():
        return {}
    module = importlib.import_module(f"components.{folder}.component")
    found = {name: value for name, value in vars(module).items() if isinstance(value, BaseComponent)}
    return {name: door for name, door in found.items() if inspect.getmodule(door.python_func) is module}


def all_doors() -> dict:
    """Every door by `room.door`, that of `common` too."""
    return {f"{room}.{name}": door for room in [*rooms(), "common"] for name, door in doors(room).items()}


def sources(*folders: str) -> list[str]:
    """The Python files under some folders, as sorted paths relative to the repository."""
    files = (file.relative_to(ROOT) for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file.as_posix() for file in files)

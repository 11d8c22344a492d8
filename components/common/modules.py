"""The user's module, `module_uri`: one Python file, pinned by its content so that a cache sees changes."""

from __future__ import annotations

import importlib.util
import traceback
from pathlib import Path
from types import ModuleType

from components.common.errors import BadInputError
from components.common.storage import file_digest

_PIN = "#sha256="
_WHERE = "parameter `module_uri`"
_LONGEST = 300  # characters of a message that a user's code may bring


def find_module(uri: str) -> Path:
    """Return the file of a `module_uri`.

    Args:
        uri: A local path or `file://` uri of a Python file; `#sha256=<64 hexadecimal digits>` at its end
            pins the content.

    Raises:
        BadInputError: No such Python file, or its content is not the pinned one.
    """
    place, _, pin = uri.partition(_PIN)
    file = Path(place.removeprefix("file://"))
    if file.suffix != ".py" or not file.is_file():
        raise BadInputError(
            "no such Python file", where=_WHERE, value=uri, fix="give the path of one .py file"
        )
    if pin and (found := file_digest(file)) != pin:
        fix = "restore the file, or pin what it is now"
        raise BadInputError(
            f"module is not the pinned one: its sha256 is {found}", where=_WHERE, value=uri, fix=fix
        )
    return file


def pin_module(uri: str) -> str:
    """Return a `module_uri` with the pin of what the file holds now; one that has a pin keeps it.

    Raises:
        BadInputError: As `find_module`.
    """
    file = find_module(uri)
    return uri if _PIN in uri else f"{uri}{_PIN}{file_digest(file)}"


def load_module(file: Path) -> ModuleType:
    """Execute the user's Python file and return it as a module.

    Raises:
        BadInputError: It fails; the line of the file is named.
    """
    spec = importlib.util.spec_from_file_location("user_module", file)
    if spec is None or spec.loader is None:
        raise BadInputError("not a Python file", where=_WHERE, value=str(file))
    loaded = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(loaded)
    except Exception as error:  # the user's own code runs here, and may raise any kind; its line is told
        raise failure_of("module fails while it is loaded", error, file) from error
    return loaded


def failure_of(what: str, error: BaseException, file: Path) -> BadInputError:
    """Return the error that names the innermost line of the user's file which a failure passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
    where = f"{file.name}:{lines[-1]}" if lines else file.name
    told = " ".join(f"{type(error).__name__}: {error}".split())
    return BadInputError(f"{what}: {told[:_LONGEST]}", where=where)

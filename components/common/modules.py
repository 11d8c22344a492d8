"""The user's module, `module_uri`: one Python file, pinned by its content so that a cache sees changes."""

from __future__ import annotations

from pathlib import Path

from components.common.errors import BadInputError
from components.common.storage import file_digest

_PIN = "#sha256="
_WHERE = "parameter `module_uri`"


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

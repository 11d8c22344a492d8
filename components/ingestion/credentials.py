"""Secrets by reference: found when they are needed, and never written anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from components.common.errors import BadInputError
from components.common.secrets import secret_variable


def reveal(credentials: Mapping[str, str] | None, *, where: str) -> dict[str, str]:
    """Follow references to their values.

    Args:
        credentials: By name: `env:NAME`, a variable of the environment; `file:PATH`; or `secret:NAME/KEY`,
            a key of a secret that the build option `secrets` gives to the task.
        where: The source, for errors.

    Returns:
        The values by name; one line end after a file's content is left out.

    Raises:
        BadInputError: A reference leads to nothing, to an empty value or an unreadable file. It is shown.
    """
    return {name: _follow(reference, where) for name, reference in (credentials or {}).items()}


def conceal(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text, such as a library's error, with every secret in it replaced by `***`."""
    for secret in sorted(secrets.values(), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _follow(reference: str, where: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "file":
        value = _read(Path(name), where, reference)
    else:
        value = os.environ.get(name if kind == "env" else secret_variable(*name.split("/")), "")
    if not value:
        fixes = {
            "env": "set the variable where the task runs",
            "file": "put the file where the task runs",
            "secret": "name it in the build option `secrets`, and give it: millrace run --secret NAME=PATH",
        }
        raise BadInputError("a credential is not there", where=where, value=reference, fix=fixes[kind])
    return value


def _read(path: Path, where: str, reference: str) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        fix = "make it a file of UTF-8 text that the task may read"
        raise BadInputError("a credential cannot be read", where=where, value=reference, fix=fix) from error

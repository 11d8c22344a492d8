"""Secrets by reference: found when they are needed, and never written anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from components.common.errors import BadInputError

MOUNTED = "/var/run/secrets/millrace"  # where secrets are mounted, unless MILLRACE_SECRETS says otherwise


def reveal(credentials: Mapping[str, str] | None, *, where: str) -> dict[str, str]:
    """Follow references to their values.

    Args:
        credentials: By name: `env:NAME`, a variable of the environment; `file:PATH`; or `secret:NAME/KEY`,
            the file `NAME/KEY` where secrets are mounted (`MILLRACE_SECRETS`).
        where: The source, for errors.

    Returns:
        The values by name; one line end after a file's content is left out.

    Raises:
        BadInputError: A reference leads to nothing, or to an empty value. The reference is shown.
    """
    return {name: _follow(reference, where) for name, reference in (credentials or {}).items()}


def conceal(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text, such as a library's error, with every secret in it replaced by `***`."""
    for secret in sorted(secrets.values(), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _follow(reference: str, where: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name, "")
    else:
        value = _read(
            Path(os.environ.get("MILLRACE_SECRETS", MOUNTED), name) if kind == "secret" else Path(name)
        )
    if not value:
        fix = "set it where the task runs" if kind == "env" else "mount it where the task runs"
        raise BadInputError("a credential is not there", where=where, value=reference, fix=fix)
    return value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        return ""

"""Errors every room may raise: each says what is wrong, where, the value, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager


class ComponentError(Exception):
    """Base of all errors raised on purpose by a component.

    Attributes:
        exit_code: Status of the task, or of the command, that ends with this error.
    """

    exit_code = 1

    def __init__(
        self, what: str, *, where: object = None, value: object = None, fix: str | None = None
    ) -> None:
        """Keep the four parts and join those given into one line.

        Args:
            what: What is wrong, without a full stop.
            where: File, column, parameter or task it was found in.
            value: The offending value; shown as `repr`, cut at 200 characters.
            fix: What the reader should do.
        """
        shown = None if value is None else f"got {_cut(repr(value))}"
        parts = [what, None if where is None else str(where), shown, fix]
        super().__init__(" — ".join(" ".join(part.split()) for part in parts if part))


class BadInputError(ComponentError):
    """An input or a parameter breaks its contract; retrying cannot help."""

    exit_code = 2


class RefusedError(ComponentError):
    """A gate said no; the reasons are in the report."""

    exit_code = 3


class UnavailableError(ComponentError):
    """Something outside did not answer; retrying may help."""

    exit_code = 4


@contextmanager
def named_exit() -> Generator[None]:
    """End the process with an error's last line and exit code; the one statement of every door.

    Raises:
        SystemExit: A `ComponentError` left the block; its line is on standard error. Anything else
            is a bug of ours and passes through with its traceback.
    """
    try:
        yield
    except ComponentError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        sys.stderr.flush()
        raise SystemExit(error.exit_code) from None


def _cut(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"

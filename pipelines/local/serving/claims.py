"""Who is releasing under a name: one process at a time, as long as it lives."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

from components.common.errors import BadInputError


@dataclass(frozen=True, kw_only=True)
class _Claim:
    holder: str
    process: int  # a descriptor, which stays with the process though its number is used again


class Claims:
    """The claims of one supervisor; those of a process that ended are void at once."""

    def __init__(self) -> None:
        """Hold none."""
        self._claims: dict[str, _Claim] = {}

    def holder(self, name: str) -> str | None:
        """Return who holds a name, or None."""
        found = self._claims.get(name)
        return None if found is None else found.holder

    def claim(self, name: str, holder: str, pid: int) -> str:
        """Give a name to a holder unless another has it; returns who has it now.

        Raises:
            BadInputError: No such process runs here.
        """
        if name not in self._claims:
            try:
                process = os.pidfd_open(pid)
            except OSError as error:
                raise BadInputError("no such process runs here", where="pid", value=pid) from error
            self._claims[name] = _Claim(holder=holder, process=process)
            asyncio.get_running_loop().add_reader(process, self._end, name)
        return self._claims[name].holder

    def unclaim(self, name: str, holder: str) -> None:
        """Take a name back from a holder that has it."""
        if self.holder(name) == holder:
            self._end(name)

    def _end(self, name: str) -> None:
        process = self._claims.pop(name).process
        asyncio.get_running_loop().remove_reader(process)
        os.close(process)

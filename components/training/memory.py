"""How much memory a process takes, and how much it may."""

from __future__ import annotations

import os
from pathlib import Path

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_UNLIMITED = 2**60  # cgroups of version 1 write a number near 2**63
_SHARE = 0.95  # at the limit itself, the kernel may end the whole container instead of one trial


def resident_bytes(process: int) -> int:
    """Return the memory that a process takes now; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def container_limit() -> int | None:
    """Return the memory limit of the container that this process runs in, in bytes; None without one."""
    for file in _LIMITS:
        try:
            found = file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if found.isdigit() and int(found) < _UNLIMITED:
            return int(found)
    return None


def trial_limit(limit_mib: float | None) -> int | None:
    """Return how many bytes a trial may take.

    Args:
        limit_mib: What the user allows; None: what this process leaves of the container's limit.
    """
    if limit_mib is not None:
        return int(limit_mib * 2**20)
    limit = container_limit()
    return None if limit is None else int(limit * _SHARE) - resident_bytes(os.getpid())


def in_mib(size: int | None) -> str:
    """Return a size for people, such as `512 MiB`; `unknown` for None."""
    return "unknown" if size is None else f"{size / 2**20:.0f} MiB"

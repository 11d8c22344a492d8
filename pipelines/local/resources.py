"""What a container of a package says it needs of this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_UNITS = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate("KMGTPE", start=1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", start=1)},
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]i?)?")


def memory_bytes(resources: Mapping[str, Any]) -> int:
    """Return the memory that a container asks for.

    Args:
        resources: Its `resources` in the package: text with a unit such as `4G` or `512Mi`, or, in packages
            of older compilers, a number of 10⁹ bytes.

    Returns:
        Bytes: its request, or its limit when it has no request; 0 when it says neither, or says it by a
        parameter.
    """
    for name in ("resourceMemoryRequest", "resourceMemoryLimit"):
        if found := _SIZE.fullmatch(str(resources.get(name, ""))):
            return int(float(found[1]) * _UNITS[found[2] or ""])
    for name in ("memoryRequest", "memoryLimit"):
        if isinstance(value := resources.get(name), (int, float)):
            return int(value * 10**9)
    return 0

"""Who answers a request that carries a key: always the same revision, without a memory of who asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def assign(key: str, endpoint: str, weights: Mapping[str, int]) -> str:
    """Return the revision that answers a key.

    A digest of the endpoint, the first revision and the key is the key's place among all; each
    revision takes the next part of them. So the first one keeps its keys while its share grows, and
    other users come first when another revision is.

    Args:
        key: Of a user, or whatever is always to be answered by the same revision.
        endpoint: Model name.
        weights: Percent by revision, summing to 100, in the order in which they were given.
    """
    salt = "\n".join((endpoint, next(iter(weights)), key))
    place = int.from_bytes(hashlib.sha256(salt.encode(errors="surrogateescape")).digest()[:8]) % 10_000
    for revision, weight in weights.items():
        place -= 100 * weight
        if place < 0:
            return revision
    raise ValueError(f"weights must sum to 100, but got {dict(weights)}.")

"""The images of the project by logical name; compiling maps each to a registry, tag or digest."""

from __future__ import annotations

import re
from typing import Literal

IMAGE_PREFIX = "millrace/"

ImageName = Literal["ingestion", "validation", "modelling", "modelling-gpu", "deployment", "serving",
    "serving-tensorflow",
]  # fmt: skip

# Our logical names, what an engine built and pushed nowhere, and an image's own id.
_NOWHERE = re.compile(rf"{IMAGE_PREFIX}|localhost/|(sha256:)?[0-9a-f]{{64}}$")


def image(name: ImageName) -> str:
    """Return the logical reference of one of our images, such as `millrace/validation`.

    Args:
        name: A dependency group of `pyproject.toml`.

    Returns:
        The reference that doors carry. Pure, so a package depends on nothing but its inputs.
    """
    return IMAGE_PREFIX + name


def is_in_registry(reference: str) -> bool:
    """Tell whether a reference is of a registry, from where the nodes of a cluster can pull it.

    Args:
        reference: Such as `registry.example/millrace/validation@sha256:…`; `localhost:5000/…` is of one.
    """
    return _NOWHERE.match(reference) is None

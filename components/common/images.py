"""The images of the project by logical name; compiling maps each to a registry, tag or digest."""

from __future__ import annotations

from typing import Literal

IMAGE_PREFIX = "millrace/"

ImageName = Literal["ingestion", "validation", "modelling", "modelling-gpu", "deployment", "serving"]


def image(name: ImageName) -> str:
    """Return the logical reference of one of our images, such as `millrace/validation`.

    Args:
        name: A dependency group of `pyproject.toml`.

    Returns:
        The reference that doors carry. Pure, so a package depends on nothing but its inputs.
    """
    return IMAGE_PREFIX + name

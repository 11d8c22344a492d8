"""Doors as files, which any pipeline can load: `kfp.components.load_component_from_file`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipelines.compiling.image_map import check_names
from pipelines.doors import doors


def component_text(name: str, images: Mapping[str, str]) -> str:
    """Return the file of one door.

    Args:
        name: Of the door, such as `train_trials`.
        images: References by logical name; an image not named keeps its name.

    Raises:
        BadInputError: `images` names one that is not ours.
    """
    check_names(images, where="build option `images`")
    from kfp import compiler

    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / f"{name}.yaml"
        compiler.Compiler().compile(doors()[name], str(draft))
        text = draft.read_text(encoding="utf-8")
    for logical, reference in images.items():
        text = text.replace(f" image: {logical}\n", f" image: {reference}\n")
    return text

"""Reading from the schema which inputs may be missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from components.common.errors import BadInputError
from components.common.schemas import read_features


def read_optional(schema: Path, inputs: Iterable[str]) -> dict[str, bool]:
    """Return for each input whether it may be missing: unless the schema asks for it in every row.

    Args:
        schema: Folder with `schema.pbtxt`, from data validation.
        inputs: Names of columns.

    Raises:
        BadInputError: The file is missing, is no schema, or lacks an input.
    """
    file = schema / "schema.pbtxt"
    shares = {feature.name: feature.presence.min_fraction for feature in read_features(schema)}
    if unknown := [name for name in inputs if name not in shares]:
        fix = "schema and transform are of different data: run both again"
        raise BadInputError("inputs are not in the schema", where=file, value=unknown, fix=fix)
    return {name: shares[name] < 1.0 for name in inputs}

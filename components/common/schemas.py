"""Schemas as every room reads them: the features of `schema.pbtxt`, and which of them are personal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2 as generated

from components.common.errors import BadInputError

schema_pb2: Any = generated  # its classes are made when it is imported; no checker sees them

PERSONAL = "personal"  # the tag in a feature's annotation


def read_features(folder: Path) -> Sequence[Any]:
    """Read the features of a folder's `schema.pbtxt`, in its order.

    Args:
        folder: The artifact `schema`, or a model, which carries it.

    Returns:
        Messages `tensorflow_metadata.proto.v0.Feature`.

    Raises:
        BadInputError: The file is missing or is no schema.
    """
    file = folder / "schema.pbtxt"
    try:
        parsed = text_format.Parse(file.read_text(encoding="utf-8"), schema_pb2.Schema())
    except FileNotFoundError as error:
        raise BadInputError("schema is missing", where=file, fix="run data validation first") from error
    except (OSError, text_format.ParseError, ValueError) as error:
        raise BadInputError(f"not a schema: {error}", where=file) from error
    return parsed.feature


def personal_columns(features: Iterable[Any]) -> frozenset[str]:
    """Return the columns whose feature has the annotation tag `personal`."""
    return frozenset(feature.name for feature in features if PERSONAL in feature.annotation.tag)

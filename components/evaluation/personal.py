"""Columns that validation marked as personal: their values leave no trace in what is published."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2 as generated

from components.common.errors import BadInputError

schema_pb2: Any = generated  # its classes are made when it is imported; no checker sees them

TAG = "personal"


def read_personal(model: Path) -> frozenset[str]:
    """Return the columns whose feature in a model's `schema.pbtxt` has the annotation tag `personal`.

    Raises:
        BadInputError: The file is missing or is no schema.
    """
    file = model / "schema.pbtxt"
    try:
        schema = text_format.Parse(file.read_text(encoding="utf-8"), schema_pb2.Schema())
    except FileNotFoundError as error:
        raise BadInputError("schema is missing", where=file, fix="train the model again") from error
    except (text_format.ParseError, ValueError) as error:
        raise BadInputError(f"not a schema: {error}", where=file) from error
    return frozenset(feature.name for feature in schema.feature if TAG in feature.annotation.tag)


def refuse_personal(columns: Iterable[str], personal: frozenset[str], *, where: str) -> None:
    """Refuse to publish metrics by value of a personal column.

    Raises:
        BadInputError: A column is personal.
    """
    for column in columns:
        if column in personal:
            fix = "leave it out, or derive a coarser column from it that is not personal"
            what = f"`{column}` is personal: its values may not be published"
            raise BadInputError(what, where=where, fix=fix)

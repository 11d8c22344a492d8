"""Knobs of ingestion, checked when built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from components.common.artifacts import Kind

KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestionConfig:
    """How files are read.

    Attributes:
        null_values: Cells of CSV files that mean "missing", compared exactly. `""` is the empty cell.
        delimiter: One character between the cells of CSV files, or None to take, from comma, tab,
            semicolon and bar, the one that splits the header into most names.
        types: Kind by column name (`integer`, `float`, `string`, `boolean`, `date`, `timestamp`) of
            columns in CSV files that shall not be inferred.
        allow_empty: Whether files without rows, and so splits without rows, are taken.
    """

    null_values: Sequence[str] = ("", "NA")
    delimiter: str | None = None
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    allow_empty: bool = False

    def __post_init__(self) -> None:
        """Reject what cannot be read with, naming the value."""
        if not is_strings(self.null_values):
            raise ValueError(f"`null_values` must be a list of strings, but got {self.null_values=}.")
        if self.delimiter is not None and not _is_delimiter(self.delimiter):
            raise ValueError(
                f"`delimiter` must be one character, no quote and no line end, but got {self.delimiter=}."
            )
        if not _are_kinds(self.types):
            raise ValueError(
                f"`types` must map columns to one of {', '.join(KINDS)}, but got {self.types=}."
            )

    def reading(self) -> dict[str, object]:
        """Return the knobs that change what is read; they are part of the data's version."""
        return {
            "null_values": sorted(set(self.null_values)),
            "delimiter": self.delimiter,
            "types": dict(self.types),
        }


def is_strings(value: object) -> bool:
    """Tell whether a value from outside is a list of strings."""
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _is_delimiter(value: object) -> bool:
    return isinstance(value, str) and len(value) == 1 and value not in '"\r\n'


def _are_kinds(value: object) -> bool:
    return isinstance(value, Mapping) and all(kind in KINDS for kind in value.values())

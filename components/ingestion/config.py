"""Knobs of ingestion, checked when built."""

from __future__ import annotations

import codecs
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
        encoding: Of text files, such as `latin-1` or `cp1252`.
        memory_mib: What the database may hold in memory, in MiB, at least 128; the rest goes to disk.
        timeout_seconds: Longest wait for a store to bring anything, at least 1; then it is asked again.
    """

    null_values: Sequence[str] = ("", "NA")
    delimiter: str | None = None
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    allow_empty: bool = False
    encoding: str = "utf-8"
    memory_mib: int = 400
    timeout_seconds: int = 30

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
        if not _is_encoding(self.encoding):
            raise ValueError(f"`encoding` must name a text encoding, but got {self.encoding=}.")
        if self.memory_mib < 128:
            raise ValueError(f"`memory_mib >= 128` must hold, but got {self.memory_mib=}.")
        if self.timeout_seconds < 1:
            raise ValueError(f"`timeout_seconds >= 1` must hold, but got {self.timeout_seconds=}.")

    def reading(self) -> dict[str, object]:
        """Return the knobs that change what is read; they are part of the data's version."""
        return {
            "null_values": sorted(set(self.null_values)),
            "delimiter": self.delimiter,
            "types": dict(self.types),
            "encoding": codecs.lookup(self.encoding).name,
        }


def is_strings(value: object) -> bool:
    """Tell whether a value from outside is a list of strings."""
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _is_delimiter(value: object) -> bool:
    return isinstance(value, str) and len(value) == 1 and value not in '"\r\n'


def _is_encoding(name: str) -> bool:
    try:
        return "a".encode(name).decode(name) == "a"
    except (LookupError, UnicodeError, AssertionError):
        return False


def _are_kinds(value: object) -> bool:
    return isinstance(value, Mapping) and all(kind in KINDS for kind in value.values())

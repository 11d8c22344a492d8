"""Profiling columns: the few counts from which features and the task are derived."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute

from components.common.artifacts import Kind
from components.common.errors import BadInputError
from components.transform.config import MAX_VOCABULARY

pc: Any = pyarrow.compute  # its functions are made when it is imported; no checker sees them

MIN_COUNTED = 100  # rows; fewer distinct numbers in a row may be chance


@dataclass(kw_only=True)
class ColumnProfile:
    """What the train split holds in one column.

    Attributes:
        kind: The column's kind.
        rows: All rows.
        present: Rows that have a value; NaN has none, nor what is infinite as float32.
        distinct: The distinct values, until there are more than `MAX_VOCABULARY`.
        counted: Present rows among which they were counted; all of them, but in such a column.
        words: Words in all strings, separated by white space.
        low: Smallest whole number present; None in a column without one, or of another kind.
        high: Largest, likewise.
    """

    kind: Kind
    rows: int = 0
    present: int = 0
    distinct: set[Any] = field(default_factory=set)
    counted: int = 0
    words: int = 0
    low: int | None = None
    high: int | None = None

    @property
    def unlimited(self) -> bool:
        """True when there are more distinct values than are counted."""
        return len(self.distinct) > MAX_VOCABULARY

    @property
    def identifier_share(self) -> float:
        """Distinct values per present row, in [0, 1]; 0 when there is none."""
        return len(self.distinct) / self.counted if self.counted else 0.0

    @property
    def looks_counted(self) -> bool:
        """True when whole numbers stand as a counter leaves them: none twice, hardly any left out.

        At least half of the steps between the smallest and the largest must be taken. Prices or distances
        that fill their range so densely do occur twice; a counter of which a split took a part does not.
        """
        if self.low is None or self.high is None or self.present < MIN_COUNTED:
            return False
        step = math.gcd(*(value - self.low for value in self.distinct))
        return len(self.distinct) == self.counted and self.high - self.low <= 2 * step * self.present

    @property
    def mean_words(self) -> float:
        """Mean number of words of the strings present; 0 when there is none."""
        return self.words / self.present if self.present else 0.0

    @property
    def whole(self) -> bool:
        """True when every distinct value is a whole number."""
        return all(not isinstance(value, str) and float(value).is_integer() for value in self.distinct)


def profile_columns(batches: Iterable[Any], kinds: Mapping[str, Kind]) -> dict[str, ColumnProfile]:
    """Profile columns in one pass.

    Args:
        batches: Arrow record batches that have these columns.
        kinds: Columns to profile, with their kinds.

    Raises:
        BadInputError: A column's type is not that of its kind.
    """
    profiles = {name: ColumnProfile(kind=kind) for name, kind in kinds.items()}
    for batch in batches:
        for name, profile in profiles.items():
            _require_type(name, profile.kind, batch.column(name).type)
            _add(profile, batch.column(name))
    return profiles


def _require_type(name: str, kind: Kind, found: Any) -> None:
    wanted = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.int64()}.get(kind, pa.string())
    if found not in (wanted, pa.null()):
        fix = "schema and examples are of different data: run data validation again"
        raise BadInputError(f"the schema says {kind}", where=f"column `{name}`", value=str(found), fix=fix)


def _add(profile: ColumnProfile, values: Any) -> None:
    profile.rows += len(values)
    if profile.kind == "float":
        finite = pc.is_finite(values.cast(pa.float32(), safe=False))
        values = values.filter(finite)  # a null filter entry drops its row
    present = values.drop_null()
    profile.present += len(present)
    counted = pc.value_counts(present)
    values, counts = counted.field("values"), counted.field("counts")
    if not profile.unlimited:
        profile.counted += len(present)
        profile.distinct.update(values.to_pylist())
    if profile.kind == "integer" and len(values):
        ends = pc.min_max(values).as_py()
        profile.low = ends["min"] if profile.low is None else min(profile.low, ends["min"])
        profile.high = ends["max"] if profile.high is None else max(profile.high, ends["max"])
    if profile.kind == "string" and len(values):
        text = pc.utf8_trim_whitespace(values.cast(pa.string()))
        gaps = pc.count_substring_regex(text, r"\s+").cast(pa.int64())
        profile.words += int(pc.sum(pc.multiply(gaps, counts)).as_py()) + len(present)

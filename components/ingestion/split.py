"""How rows are divided into train, eval and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.common.artifacts import SPLITS
from components.common.config import require_known, whole
from components.ingestion.config import is_strings

_FRACTIONS = {"train": 0.8, "eval": 0.1, "test": 0.1}
_FIELDS = {"hash": ("key", "fractions"), "time": ("column", "eval_from", "test_from")}


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRule:
    """Which rows go into which split; a row's split depends on its content alone, never on its place.

    Attributes:
        by: `hash`: by a hash of key columns; rows of equal keys stay together. `time`: by two bounds.
        key: For `hash`: columns to hash, or None for all of them.
        fractions: For `hash`: share of each split, each in (0, 1), together 1; None for 0.8, 0.1, 0.1.
        column: For `time`: the column that is compared.
        eval_from: For `time`: first value of `eval`; smaller ones are `train`. Of the column's type.
        test_from: For `time`: first value of `test`. Of the column's type, greater than `eval_from`.
    """

    by: str = "hash"
    key: Sequence[str] | None = None
    fractions: Mapping[str, float] | None = None
    column: str | None = None
    eval_from: str | int | float | None = None
    test_from: str | int | float | None = None

    def __post_init__(self) -> None:
        """Reject impossible rules at once, naming the value."""
        if self.by not in _FIELDS:
            raise ValueError(f"`by` must be `hash` or `time`, but got {self.by=}.")
        for name in _FIELDS["time" if self.by == "hash" else "hash"]:
            if getattr(self, name) is not None:
                raise ValueError(
                    f"`{name}` has no meaning with {self.by=}, but got {getattr(self, name)!r}."
                )
        if self.by == "hash":
            self._check_hash()
        else:
            self._check_time()

    def shares(self) -> dict[str, float]:
        """Return the share of each split, in the order of the splits, defaults filled in."""
        given = _FRACTIONS if self.fractions is None else self.fractions
        return {split: float(given[split]) for split in SPLITS}

    def describe(self) -> dict[str, Any]:
        """Return the rule with every default filled in, as it stands in `snapshot.json`."""
        if self.by == "hash":
            key = None if self.key is None else list(self.key)
            return {"by": self.by, "key": key, "fractions": self.shares()}
        bounds = {"eval_from": whole(self.eval_from), "test_from": whole(self.test_from)}
        return {"by": self.by, "column": self.column, **bounds}

    def _check_hash(self) -> None:
        if self.key is not None and not (is_strings(self.key) and self.key):
            raise ValueError(f"`key` must be a list of column names, but got {self.key=}.")
        if self.fractions is None:
            return
        shares = _shares(self.fractions)
        if len(shares) < len(SPLITS) or not all(0 < share < 1 for share in shares):
            raise ValueError(f"each of {SPLITS} needs a share in (0, 1), but got {self.fractions=}.")
        if abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"`fractions` must sum to 1, but got {self.fractions=}.")

    def _check_time(self) -> None:
        for name in _FIELDS["time"]:
            if getattr(self, name) is None:
                raise ValueError(f"`{name}` is needed with `by: time`, but got {getattr(self, name)!r}.")


def _shares(fractions: object) -> list[float]:
    if not isinstance(fractions, Mapping):
        raise ValueError(f"`fractions` must map splits to shares, but got {fractions!r}.")
    require_known(fractions, SPLITS, where="split.fractions")
    values = [fractions.get(split) for split in SPLITS]
    return [float(value) for value in values if isinstance(value, (int, float))]

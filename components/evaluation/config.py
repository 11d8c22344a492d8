"""Knobs of evaluation, checked when built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationConfig:
    """How the test split is answered, cut into slices and sampled.

    Attributes:
        golden_rows: Golden requests to record, made-up ones among them. Count, at least 4.
        min_slice_rows: Fewest rows of a slice that is measured. Count, at least 1.
        max_slice_values: Values measured per sliced column, those with most rows. Count, at least 1.
        batch_size: Rows that the model answers at once. Count, at least 1.
    """

    golden_rows: int = 32
    min_slice_rows: int = 100
    max_slice_values: int = 20
    batch_size: int = 16_384

    def __post_init__(self) -> None:
        """Reject impossible knobs at once, naming the value."""
        if self.golden_rows < 4:
            raise ValueError(f"`golden_rows >= 4` must hold, but got {self.golden_rows=}.")
        if self.min_slice_rows < 1:
            raise ValueError(f"`min_slice_rows >= 1` must hold, but got {self.min_slice_rows=}.")
        if self.max_slice_values < 1:
            raise ValueError(f"`max_slice_values >= 1` must hold, but got {self.max_slice_values=}.")
        if self.batch_size < 1:
            raise ValueError(f"`batch_size >= 1` must hold, but got {self.batch_size=}.")

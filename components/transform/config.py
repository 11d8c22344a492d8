"""Knobs of the transform, checked when built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

MAX_VOCABULARY = 100_000  # entries; beyond it a column counts as unlimited; the bound on memory
MAX_CLIP_SHARE = 0.1
MIN_CLIP_SHARE = 1e-5  # quantiles any finer would cost more memory than they are worth


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformConfig:
    """Where the derivation of features draws its lines.

    Attributes:
        max_vocabulary: Most distinct values of a string column that still get an index each; with more
            it is hashed. Also the size of a vocabulary asked for by name. Count, 1 to 100,000.
        max_vocabulary_integers: Most distinct values of an integer column that is taken for
            categories; with more it is a number. Count, at least 0 (0: always a number).
        hash_buckets: Buckets of a hashed column. Count, at least 2.
        max_words: Largest mean number of words of a string column; with more it is free text and is
            dropped. At least 1.
        max_identifier_share: Largest share of distinct values among those present of a string column;
            with more it is an identifier and is dropped. In (0, 1].
        clip_share: Share of a column's values at each end beyond whose quantiles numbers are clipped,
            taken as one part in a whole number. In [1e-5, 0.1], or 0 to clip nothing.
        max_correlation: Largest absolute correlation (Pearson) between two numbers; with more they are
            listed as near-duplicates. In (0, 1].
        drop_correlated: Whether the later one of two near-duplicates is dropped.
        beam_options: Options of Apache Beam such as `--runner=FlinkRunner`; when there are any, Beam
            analyses derived features, too. A user's function is always analysed by Beam, without
            options in this process.
        batch_rows: Rows held in memory at a time. Count, at least 1.
    """

    max_vocabulary: int = 1_000
    max_vocabulary_integers: int = 64
    hash_buckets: int = 1_000
    max_words: float = 5.0
    max_identifier_share: float = 0.9
    clip_share: float = 0.001
    max_correlation: float = 0.99
    drop_correlated: bool = False
    beam_options: Sequence[str] = ()
    batch_rows: int = 65_536

    def __post_init__(self) -> None:
        """Reject impossible knobs at once, naming the value."""
        if not 1 <= self.max_vocabulary <= MAX_VOCABULARY:
            raise ValueError(
                f"`1 <= max_vocabulary <= {MAX_VOCABULARY}` must hold, but got {self.max_vocabulary=}."
            )
        if self.max_vocabulary_integers < 0:
            raise ValueError(
                f"`max_vocabulary_integers >= 0` must hold, but got {self.max_vocabulary_integers=}."
            )
        if self.hash_buckets < 2:
            raise ValueError(f"`hash_buckets >= 2` must hold, but got {self.hash_buckets=}.")
        if not self.max_words >= 1:
            raise ValueError(f"`max_words >= 1` must hold, but got {self.max_words=}.")
        if not 0 < self.max_identifier_share <= 1:
            raise ValueError(
                f"`0 < max_identifier_share <= 1` must hold, but got {self.max_identifier_share=}."
            )
        if self.clip_share != 0 and not MIN_CLIP_SHARE <= self.clip_share <= MAX_CLIP_SHARE:
            raise ValueError(
                f"`{MIN_CLIP_SHARE} <= clip_share <= {MAX_CLIP_SHARE}`, or 0, must hold, "
                f"but got {self.clip_share=}."
            )
        if not 0 < self.max_correlation <= 1:
            raise ValueError(f"`0 < max_correlation <= 1` must hold, but got {self.max_correlation=}.")
        _check_beam_options(self.beam_options)
        if self.batch_rows < 1:
            raise ValueError(f"`batch_rows >= 1` must hold, but got {self.batch_rows=}.")


def _check_beam_options(options: object) -> None:
    listed = cast("Sequence[object]", options) if isinstance(options, (list, tuple)) else [None]
    if not all(isinstance(option, str) and option.startswith("--") for option in listed):
        raise ValueError(f'`beam_options` must be a list such as ["--runner=…"], but got {options!r}.')

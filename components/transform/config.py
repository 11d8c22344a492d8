"""Knobs of the transform, checked when built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformConfig:
    """Where the derivation of features draws its lines.

    Attributes:
        max_vocabulary: Most distinct values of a string column that still get an index each; with more
            it is hashed. Also the size of a vocabulary asked for by name. Count, at least 1.
        max_vocabulary_integers: Most distinct values of an integer column that is taken for
            categories; with more it is a number. Count, at least 0 (0: always a number).
        hash_buckets: Buckets of a hashed column. Count, at least 2.
        max_words: Largest mean number of words of a string column; with more it is free text and is
            dropped. At least 1.
        max_identifier_share: Largest share of distinct values among those present of a string column;
            with more it is an identifier and is dropped. In (0, 1].
        batch_rows: Rows held in memory at a time. Count, at least 1.
    """

    max_vocabulary: int = 1_000
    max_vocabulary_integers: int = 64
    hash_buckets: int = 1_000
    max_words: float = 5.0
    max_identifier_share: float = 0.9
    batch_rows: int = 16_384

    def __post_init__(self) -> None:
        """Reject impossible knobs at once, naming the value."""
        if self.max_vocabulary < 1:
            raise ValueError(f"`max_vocabulary >= 1` must hold, but got {self.max_vocabulary=}.")
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
        if self.batch_rows < 1:
            raise ValueError(f"`batch_rows >= 1` must hold, but got {self.batch_rows=}.")

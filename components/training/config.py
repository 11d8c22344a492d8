"""Knobs of training, checked when built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """How trials are run and how the best one is chosen.

    Attributes:
        trial_timeout_seconds: Longest a trial may take, imports and export included; then it is killed
            and counts as failed. Above 0.
        threads_per_trial: Threads TensorFlow computes with in one trial. Count, at least 1. Trials of one
            machine run side by side, so few are best.
        verification_rows: Rows on which the exported model must agree with the trained one. Count, at
            least 1.
        min_successful: Fewest complete trials to choose from. Count, at least 1.
    """

    trial_timeout_seconds: float = 3_600.0
    threads_per_trial: int = 1
    verification_rows: int = 200
    min_successful: int = 1

    def __post_init__(self) -> None:
        """Reject impossible knobs at once, naming the value."""
        if not self.trial_timeout_seconds > 0:
            raise ValueError(
                f"`trial_timeout_seconds > 0` must hold, but got {self.trial_timeout_seconds=}."
            )
        if self.threads_per_trial < 1:
            raise ValueError(f"`threads_per_trial >= 1` must hold, but got {self.threads_per_trial=}.")
        if self.verification_rows < 1:
            raise ValueError(f"`verification_rows >= 1` must hold, but got {self.verification_rows=}.")
        if self.min_successful < 1:
            raise ValueError(f"`min_successful >= 1` must hold, but got {self.min_successful=}.")

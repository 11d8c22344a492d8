"""Limits of the model server, checked when built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingConfig:
    """What one server accepts.

    Attributes:
        max_rows: Most rows in one request. Count, at least 1.
        max_body_bytes: Largest request body. Bytes, at least 1,024.
        body_timeout_seconds: Longest time a client may take to send the head of a request, and then its
            body. Seconds, above 0.
        max_concurrent: Most requests and kept connections at a time; what comes beyond is answered with
            503. Count, at least 1.
        drain_seconds: Longest time that requests under way get after SIGTERM. Seconds, at least 1.
    """

    max_rows: int = 10_000
    max_body_bytes: int = 32 << 20
    body_timeout_seconds: float = 30.0
    max_concurrent: int = 1_000
    drain_seconds: int = 10

    def __post_init__(self) -> None:
        """Reject impossible limits at once, naming the value."""
        if self.max_rows < 1:
            raise ValueError(f"`max_rows >= 1` must hold, but got {self.max_rows=}.")
        if self.max_body_bytes < 1024:
            raise ValueError(f"`max_body_bytes >= 1024` must hold, but got {self.max_body_bytes=}.")
        if not self.body_timeout_seconds > 0:
            raise ValueError(f"`body_timeout_seconds > 0` must hold, but got {self.body_timeout_seconds=}.")
        if self.max_concurrent < 1:
            raise ValueError(f"`max_concurrent >= 1` must hold, but got {self.max_concurrent=}.")
        if self.drain_seconds < 1:
            raise ValueError(f"`drain_seconds >= 1` must hold, but got {self.drain_seconds=}.")

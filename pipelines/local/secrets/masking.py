"""Hides values in what tasks write, wherever the pieces of a stream are cut."""

from __future__ import annotations

from collections.abc import Iterable

MASK = b"***"


class Mask:
    """Values that nobody may read."""

    def __init__(self, values: Iterable[bytes] = ()) -> None:
        """Hide values; empty ones are left out."""
        self.values = sorted({value for value in values if value})

    def text(self, text: str) -> str:
        """Return a text with each value replaced."""
        stream = MaskedStream(self)
        raw = text.encode(errors="surrogateescape")
        return (stream.feed(raw) + stream.end()).decode(errors="surrogateescape")


NO_MASK = Mask()


class MaskedStream:
    """Replaces values in a stream; of each piece it holds back only what may be the begin of a value."""

    def __init__(self, mask: Mask) -> None:
        """Begin a stream."""
        self._values = mask.values
        self._held = b""
        self._covered = 0  # bytes of what is held that a mask stands for already

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; returns what can be shown by now."""
        self._held += piece
        return self._show(len(self._held) - self._open_bytes())

    def end(self) -> bytes:
        """Return the rest."""
        return self._show(len(self._held))

    def _show(self, until: int) -> bytes:
        shown: list[bytes] = []
        at = self._covered
        for start, end in self._spans():
            if start >= until:
                break
            if start >= at:
                shown += [self._held[at:start], MASK]
            at = max(at, end)
        shown.append(self._held[at:until])
        self._held, self._covered = self._held[until:], max(0, at - until)
        return b"".join(shown)

    def _spans(self) -> list[tuple[int, int]]:
        """Return where values stand, in order; those that overlap are one."""
        found: list[tuple[int, int]] = []
        for value in self._values:
            start = self._held.find(value)
            while start >= 0:
                found.append((start, start + len(value)))
                start = self._held.find(value, start + 1)
        merged: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _open_bytes(self) -> int:
        """Return how many bytes at the end may be the begin of a value."""
        longest = 0
        for value in self._values:
            for size in range(min(len(value) - 1, len(self._held)), longest, -1):
                if self._held.endswith(value[:size]):
                    longest = size
                    break
        return longest

"""A connection to an address, encrypted where its scheme says so."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit


def connect(address: str, *, timeout_seconds: float) -> HTTPConnection:
    """Return a connection to who is named in an address of `http` or `https`; nothing is sent yet."""
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_seconds)

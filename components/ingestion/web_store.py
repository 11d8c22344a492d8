"""Files by http(s): pinned by their digest, and from public addresses only.

An address is checked after it was resolved, and exactly that address is connected to, so that a name that
resolves otherwise the next time (DNS rebinding) gains nothing. Redirects go through the same check.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from components.common.errors import BadInputError, UnavailableError
from components.ingestion.credentials import reveal
from components.ingestion.sources import Source, split_pin
from components.ingestion.stores import PIECE_BYTES, FoundFile

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SLOWEST = 1024  # bytes per second, below which a server is taken for one that only holds the line


class WebStore:
    """One source's view of the web."""

    def __init__(
        self, source: Source, *, where: str, allowed_hosts: Sequence[str], timeout_seconds: int
    ) -> None:
        self._headers = _authorization(reveal(source.credentials, where=where))
        self._allowed = {host.lower() for host in allowed_hosts}
        self._timeout = timeout_seconds

    def find(self, uri: str) -> list[FoundFile]:
        """Return the file by its digest; the server is not asked, only its address is checked."""
        plain, pin = split_pin(uri)
        self._address(urlsplit(plain))
        return [FoundFile(uri=uri, identity=str(pin))]

    def identify(self, file: FoundFile) -> FoundFile:
        """Return the file itself: its digest is its identity."""
        return file

    def local_path(self, file: FoundFile) -> Path | None:
        """Return None: the file is fetched."""
        return None

    def read(self, file: FoundFile, offset: int) -> Iterator[bytes]:
        """Yield the file's bytes; a server that cannot resume is read from the start again."""
        with self._opened(split_pin(file.uri)[0], offset) as response:
            skip = offset if response.status == 200 else 0
            began, read = time.monotonic(), 0
            while piece := response.read1(PIECE_BYTES):
                read += len(piece)
                if time.monotonic() - began > self._timeout and read < _SLOWEST * (
                    time.monotonic() - began
                ):
                    raise UnavailableError("the server is too slow", where=file.uri, value=f"{read} bytes")
                kept, skip = piece[skip:], max(0, skip - len(piece))
                if kept:
                    yield kept
            if response.length:
                raise UnavailableError(
                    "the connection broke", where=file.uri, value=f"{response.length} bytes missing"
                )

    @contextmanager
    def _opened(self, url: str, offset: int) -> Generator[http.client.HTTPResponse]:
        headers = self._headers
        for _ in range(_MAX_REDIRECTS + 1):
            parts = urlsplit(url)
            connection = self._connect(parts)
            try:
                response = _ask(
                    connection, parts, {**headers, **({"Range": f"bytes={offset}-"} if offset else {})}
                )
                if response.status not in _REDIRECTS:
                    yield response
                    return
                target = _next(url, response)
                if urlsplit(target)[:2] != parts[:2]:
                    headers = {}  # credentials are for the host that was named
                url = target
            except (OSError, http.client.HTTPException) as error:
                fix = "run again when it answers"
                raise UnavailableError(
                    f"the server failed: {error or type(error).__name__}", where=url, fix=fix
                ) from error
            finally:
                connection.close()
        raise BadInputError(f"more than {_MAX_REDIRECTS} redirects", where=url, fix="name the last address")

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        address, port = self._address(parts), parts.port or (443 if parts.scheme == "https" else 80)
        host = str(parts.hostname)
        try:
            line = socket.create_connection((address, port), self._timeout)
            if parts.scheme == "https":
                line = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        except OSError as error:
            fix = "run again when it answers"
            raise UnavailableError(
                f"the server cannot be reached: {error}", where=parts.geturl(), fix=fix
            ) from error
        connection = http.client.HTTPConnection(host, port)
        connection.default_port = 443 if parts.scheme == "https" else 80
        connection.sock = line
        return connection

    def _address(self, parts: SplitResult) -> str:
        """Return the address to connect to, when all that the host resolves to may be reached."""
        host = (parts.hostname or "").lower()
        try:
            found = socket.getaddrinfo(host, parts.port or 0, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            fix = "check the name"
            raise UnavailableError(
                "the host is not known", where=parts.geturl(), value=host, fix=fix
            ) from error
        addresses = [str(entry[4][0]) for entry in found]
        if host not in self._allowed and (inner := [one for one in addresses if not _is_public(one)]):
            fix = "an operator may add the host to the build option `allowed_hosts`"
            raise BadInputError(
                "URI not allowed: not a public address", where=parts.geturl(), value=inner[0], fix=fix
            )
        return addresses[0]


def _ask(
    connection: http.client.HTTPConnection, parts: SplitResult, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", target, headers={"Accept-Encoding": "identity", **headers})
    response = connection.getresponse()
    what = f"the server answers {response.status}"
    if response.status >= 500 or response.status in (408, 429):
        raise UnavailableError(what, where=parts.geturl(), fix="run again when it answers")
    if response.status >= 400:
        raise BadInputError(what, where=parts.geturl(), fix="check the address and `credentials`")
    return response


def _next(url: str, response: http.client.HTTPResponse) -> str:
    target = urljoin(url, response.headers.get("Location", ""))
    old, new = urlsplit(url).scheme, urlsplit(target).scheme
    if new not in ("http", "https") or (old, new) == ("https", "http"):
        raise BadInputError("URI not allowed: a redirect to another scheme", where=url, value=new)
    return target


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.split("%", 1)[0])
    carried = _carried(found) if isinstance(found, ipaddress.IPv6Address) else None
    return (carried or found).is_global and not (carried or found).is_multicast


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to: mapped, 6to4, Teredo or NAT64."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _authorization(secrets: Mapping[str, str]) -> dict[str, str]:
    if token := secrets.get("bearer"):
        return {"Authorization": f"Bearer {token}"}
    if secrets:
        pair = f"{secrets.get('user', '')}:{secrets.get('password', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}

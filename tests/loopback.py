"""Servers of tests, on loopback, by handlers of `http.server`."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answering(BaseHTTPRequestHandler):
    """A handler that logs nothing and answers requests of every method in one place."""

    def answer(self) -> None:
        """Answer a request; for tests to write."""
        raise NotImplementedError

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def read(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def send(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answer; the body's length is told."""
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _each(self) -> None:
        self.answer()

    do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _each  # noqa: N815 - the names that http.server asks for


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Have a handler answer, one thread a connection; gives the address, such as `http://127.0.0.1:4711`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

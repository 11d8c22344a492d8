"""http: a real server on the loopback, which only `allowed_hosts` opens."""

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.common.errors import BadInputError, UnavailableError
from components.ingestion import fetch, web_store
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from components.ingestion.web_store import WebStore

CSV = b"n\n" + b"".join(b"%d\n" % n for n in range(200_000))
PIN = f"#sha256={hashlib.sha256(CSV).hexdigest()}"


class _Server(ThreadingHTTPServer):
    """Serves one file, and misbehaves as `plan` says, once for each of its entries."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan, self.seen = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path="/a.csv", host="127.0.0.1"):
        return f"http://{host}:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.seen.append(dict(self.headers))
        action = server.plan.pop(0) if server.plan else None
        if isinstance(action, int):
            return self._answer(action, b"")
        if isinstance(action, str) and action.startswith("to "):
            return self._answer(302, b"", Location=action[3:])
        start = int(self.headers.get("Range", "bytes=0-")[6:-1]) if action != "whole" else 0
        body = CSV[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if action == "slow":
            for n in range(40):
                self.wfile.write(body[n : n + 1])
                time.sleep(0.1)
        self.wfile.write(body[: len(body) // 2] if action == "drop" else body)
        self.close_connection = True

    def _answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            self.close_connection = True


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "FIRST_PAUSE_SECONDS", 0.01)
    server = _Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def bring(tmp_path):
    def fetch_one(url, hosts=("127.0.0.1",), timeout=5, **source):
        declared = {"t": {"uri": url, **source}}
        [file] = resolve_files(declared, allowed_hosts=hosts)["t"]
        opened = read_sources(declared)["t"]
        store = WebStore(opened, where="t", allowed_hosts=hosts, timeout_seconds=timeout)
        return fetch.fetch_file(store, file, tmp_path / "copy")[0].read_bytes()

    return fetch_one


def test_pinned_file_is_read_and_told(server, run, many):
    made = run({"t": server.url() + PIN}, allowed_hosts=["127.0.0.1"])
    assert sum(made.snapshot.rows.values()) == 200_000
    [told] = made.snapshot.sources["t"]
    assert (told["uri"], told["sha256"], told["bytes"]) == (server.url() + PIN, PIN[8:], len(CSV))


def test_another_content_than_the_pinned_one_is_refused_with_both_digests(server, bring):
    with pytest.raises(BadInputError, match=rf"expected sha256 0{{64}} — .* — got '{PIN[8:]}'"):
        bring(server.url() + "#sha256=" + "0" * 64)


@pytest.mark.parametrize(
    "plan", [["drop"], ["drop", "drop", "drop"], [503, "drop", 429], ["drop", "whole"]]
)
def test_broken_line_is_taken_up_where_it_broke(plan, server, bring):
    server.plan = list(plan)
    assert bring(server.url() + PIN) == CSV
    assert len(server.seen) == len(plan) + (plan[-1] != "whole")


def test_attempts_are_bounded(server, bring):
    server.plan = [500] * 20
    with pytest.raises(UnavailableError, match="the server answers 500"):
        bring(server.url() + PIN)
    assert len(server.seen) == fetch.ATTEMPTS


def test_server_that_only_holds_the_line_is_given_up(server, bring, monkeypatch):
    monkeypatch.setattr(fetch, "ATTEMPTS", 1)
    server.plan = ["slow"]
    with pytest.raises(UnavailableError, match="too slow"):
        bring(server.url() + PIN, timeout=1)


def test_missing_or_forbidden_file_is_not_asked_for_again(server, bring):
    for status in (403, 404):
        server.seen.clear()
        server.plan = [status]
        with pytest.raises(BadInputError, match=f"the server answers {status}"):
            bring(server.url() + PIN)
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "0",
            "169.254.169.254",
            "10.0.0.1",
            "100.64.0.1",
        ),
        *("[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1"),
    ],
)
def test_address_that_is_not_public_is_refused_before_anything_is_sent(host, server):
    with pytest.raises(BadInputError, match="not a public address"):
        resolve_files({"t": server.url(host=host) + PIN})
    assert server.seen == []


def test_redirect_to_an_address_that_is_not_public_is_refused(server, bring):
    server.plan = [f"to http://localhost:{server.server_port}/a.csv"]
    with pytest.raises(BadInputError, match="not a public address"):
        bring(server.url() + PIN)
    assert len(server.seen) == 1


def test_name_that_resolves_otherwise_the_second_time_gains_nothing(server, bring, monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def rebind(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))]

    monkeypatch.setattr(web_store.socket, "getaddrinfo", rebind)
    with pytest.raises(BadInputError, match="not a public address"):
        bring(server.url(host="rebind.example") + PIN, hosts=())
    assert server.seen == []


def test_the_checked_address_is_the_one_that_is_connected_to(server, bring, monkeypatch):
    monkeypatch.setattr(
        web_store.socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", ("93.184.216.34", port))]
    )
    reached = []

    def connect(address, timeout):
        reached.append(address[0])
        raise OSError("not in a test")

    monkeypatch.setattr(web_store.socket, "create_connection", connect)
    monkeypatch.setattr(fetch, "ATTEMPTS", 1)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        bring("http://public.example/a.csv" + PIN, hosts=())
    assert reached == ["93.184.216.34"]


def test_credentials_are_for_the_host_that_was_named(server, bring, monkeypatch):
    monkeypatch.setenv("TOKEN", "canary-9b31")
    other = _Server()
    server.plan = [f"to {other.url()}"]
    assert bring(server.url() + PIN, credentials={"bearer": "env:TOKEN"}) == CSV
    other.shutdown()
    other.server_close()
    assert server.seen[0]["Authorization"] == "Bearer canary-9b31"
    assert "Authorization" not in other.seen[0]


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/a.csv"])
def test_redirect_to_another_scheme_is_refused(target, server, bring):
    server.plan = [f"to {target}"]
    with pytest.raises(BadInputError, match="a redirect to another scheme"):
        bring(server.url() + PIN)


def test_circle_of_redirects_ends(server, bring):
    server.plan = [f"to {server.url()}"] * 20
    with pytest.raises(BadInputError, match="more than 5 redirects"):
        bring(server.url() + PIN)

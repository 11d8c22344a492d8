"""How a supervisor begins and ends, and what another finds of it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import web

from components.common.errors import BadInputError, UnavailableError
from pipelines.local.serving import proxy
from pipelines.local.serving import supervisor as supervisor_module
from pipelines.local.serving.client import find_supervisor, start_detached
from pipelines.local.serving.endpoints import Endpoints
from tests.pipelines.local.serving import conftest as at


def test_client_that_never_ends_its_request_is_let_go(monkeypatch):
    """In this process, since a supervisor waits longer than a test may."""
    for module, name in ((supervisor_module, "_HEAD_SECONDS"), (proxy, "_BODY_SECONDS")):
        monkeypatch.setattr(module, name, 0.3)
    monkeypatch.setattr(supervisor_module, "_DRAIN_SECONDS", 0.1)

    async def answer_to(*pieces, whole=True):
        """Return all until the connection is closed, or the first line."""
        runner = supervisor_module._runner(proxy.Proxy(Endpoints(Path(), None, None), "").application())
        await runner.setup()
        listener = supervisor_module._listen([at.free_port()])
        await web.SockSite(runner, listener).start()
        try:
            reading, writing = await asyncio.open_connection(*listener.getsockname())
            for piece in pieces:
                writing.write(piece)
                await asyncio.sleep(0.2)
            return await asyncio.wait_for(reading.read() if whole else reading.readline(), 5)
        finally:
            writing.close()
            await runner.cleanup()

    head = b"POST /v2/models/x/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    assert asyncio.run(answer_to()) == b""
    assert asyncio.run(answer_to(head[:9], head[9:12])) == b""
    assert b" 408 " in asyncio.run(answer_to(head, b"{", whole=False))
    kept = asyncio.run(answer_to(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n", head[:9]))
    assert kept.endswith(b'{"live": true}')


def test_killed_supervisor_takes_its_servers_along_and_the_next_restores_them(models, tmp_path):
    with at.supervising(tmp_path) as first:
        revision = at.apply(first, "kept", models["good"])
        at.settle(first, "kept", revision)
        at.weigh(first, "kept", {revision: 100})
        pid = at.revisions(first, "kept")[revision]["pid"]
        os.kill(first.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while at.alive(pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert find_supervisor(tmp_path) is None
        second = start_detached(tmp_path)  # the default port is not asked for: the former one is
        assert second.port == first.port
        assert not Path(first.control).exists()
        assert at.settle(second, "kept", revision)["state"] == "ready"
        assert at.ask(second, "kept")[0] == 200
        pid = at.revisions(second, "kept")[revision]["pid"]
        second.stop()
        assert not at.alive(pid)
        assert find_supervisor(tmp_path) is None
        assert not Path(second.control).parent.exists()
    with at.supervising(tmp_path) as third:
        assert third.endpoints() == []  # stopped on purpose: not restored


def test_two_callers_at_once_get_one_supervisor_and_a_taken_port_is_passed_over(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: start_detached(tmp_path, port), range(4)))
        with at.supervising(tmp_path):
            assert len({each.pid for each in found}) == 1
            assert port < found[0].port < port + 100
            command = [sys.executable, "-m", "pipelines.local.serving.supervisor", "--root", str(tmp_path)]
            second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert second.returncode == 2
            assert second.stderr.startswith("error: a supervisor serves this root already")
            with pytest.raises(BadInputError, match=r"no such endpoint.*nope"):
                found[0].stop("nope")


def test_malformed_state_ends_the_start_with_its_reason(tmp_path):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "state.json").write_text("{")
    with pytest.raises(UnavailableError, match=r"ended at once.*state\.json"):
        start_detached(tmp_path, at.free_port())


def test_foreground_ends_cleanly_at_ctrl_c(tmp_path):
    code = "import sys\nfrom pathlib import Path\nfrom pipelines.local.serving.supervisor import serve\n"
    code += "serve(Path(sys.argv[1]), int(sys.argv[2]), announce=lambda line: print(line, flush=True))"
    command = [sys.executable, "-c", code, str(tmp_path), str(at.free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "http://127.0.0.1:" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
    assert not (tmp_path / "serving" / "supervisor.json").exists()

"""Clients that send slowly are cut off, and hold nobody up."""

import asyncio
import socket
import subprocess
import sys
import time

from components.serving.config import ServingConfig
from components.serving.load import load_model
from components.serving.rest import RestApplication
from components.serving.service import Service
from tests.tiny_model import V2


def test_slow_clients_are_refused_and_hold_nobody(model_folder):
    """The application itself, with a client that sends half a body and no more."""
    model = load_model(model_folder, "tiny")
    application = RestApplication(Service(model), ServingConfig(body_timeout_seconds=0.05))
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        if not sent:
            sent.append(None)
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(9)

    scope = {"type": "http", "method": "POST", "path": V2, "headers": []}
    asyncio.run(application(scope, receive, send))
    assert sent[1]["status"] == 408


def test_client_that_never_ends_its_head_is_cut_off(model_folder):
    """A server of its own in a process of its own, since its times are for tests."""
    code = (
        "import sys, pathlib\nfrom components.serving.config import ServingConfig\n"
        "from components.serving.load import load_model\nfrom components.serving.run import start_server\n"
        "model = load_model(pathlib.Path(sys.argv[1]), 'tiny')\n"
        "config = ServingConfig(body_timeout_seconds=0.3)\n"
        "start_server(model, host='127.0.0.1', port=int(sys.argv[2]), grpc_port=None, config=config)\n"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", code, str(model_folder), str(port)])
    try:
        deadline = time.monotonic() + 90
        while (connection := socket.socket()).connect_ex(("127.0.0.1", port)):
            connection.close()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with connection:
            connection.settimeout(30)
            connection.sendall(b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: x\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
            assert connection.recv(1000) == b""
    finally:
        process.terminate()
        process.wait(30)

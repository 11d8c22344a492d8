"""A tiny model with a proven twin, and its server as a process of its own, once with each engine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import grpc
import pytest
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

from tests.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session", params=["tensorflow", "twin"])
def engine(request):
    """What computes the answers: all tests of a server run over both."""
    return request.param


@pytest.fixture(scope="session")
def server_log(tmp_path_factory, engine):
    return tmp_path_factory.mktemp("log") / f"{engine}.log"


@pytest.fixture(scope="session")
def grpc_address(server_url):
    return f"127.0.0.1:{int(server_url.rsplit(':')[-1]) + 1}"


@pytest.fixture(scope="session")
def server_url(model_folder, server_log, engine):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "components.serving.server", "--model", str(model_folder)]
    command += [] if engine == "twin" else ["--engine", engine]  # the twin is what it takes by itself
    ports = ["--port", str(port), "--grpc-port", str(port + 1)]
    log = server_log
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--name", "tiny", *ports, "--end-with-stdin"],
            stdin=subprocess.PIPE, stdout=stream, stderr=stream,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 90
    while call(f"{url}/v2/models/tiny/ready")[0] != 200:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    yield url
    process.stdin.close()  # its starter is gone: it ends by itself
    assert process.wait(30) in (0, -signal.SIGTERM)
    assert "Traceback" not in log.read_text()
    assert not os.path.exists(f"/proc/{process.pid}")


def call(url, body=None, *, headers=None):
    """Return (status, parsed answer), (0, {}) when nothing answers; bytes are sent as they are."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {})  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError:
        return 0, {}


@pytest.fixture
def ask(server_url):
    def send(path, body=None, **named):
        return call(server_url + path, body, **named)

    return send


@pytest.fixture(scope="module")
def stub(grpc_address):
    with grpc.insecure_channel(grpc_address) as channel:
        yield GRPCInferenceServiceStub(channel)

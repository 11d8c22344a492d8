"""One model served by kserve as its documentation shows it, by us, and through the endpoint."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from benchmarks.http_load import Load, send_load
from benchmarks.latest_run import artifact, latest_run
from components.common.artifacts import read_signature
from components.common.control import call_control
from components.common.errors import UnavailableError
from components.common.golden import read_golden_requests
from components.common.seal import model_digest
from pipelines.local.serving.client import start_detached

NAME = "flights"
ROUNDS = 5
_SECONDS = 2.0
_START_SECONDS = 120.0


def latest_model() -> Path:
    """Return the model that the newest run of the main job judged; raises as `latest_run`."""
    return artifact(latest_run(), "evaluated_model")


def compare_load(ours: Literal["server", "endpoint"], *, clients: int) -> tuple[Load, Load, dict[str, Any]]:
    """Load the plain server and ours in turns, after both gave the same answer.

    Returns:
        Medians over the rounds: ours, the plain server's; and the conditions of both.

    Raises:
        UnavailableError: One does not answer, or they answer differently.
    """
    model = latest_model()
    body = ask_rows(model, 1)
    serve = _own_server if ours == "server" else _endpoint
    with _plain_server(model) as plain, serve(model) as own:
        answers = [_answer(url, body) for url in (plain, own)]
        if abs(answers[0] - answers[1]) > 1e-5:
            raise UnavailableError("the two servers answer differently", value=answers)
        for url in (plain, own):
            send_load(url, body, clients=clients, seconds=1.0)
        rounds = [
            [send_load(url, body, clients=clients, seconds=_SECONDS) for url in (own, plain)]
            for _ in range(ROUNDS)
        ]
    own_load, plain_load = (median_load(loads) for loads in zip(*rounds, strict=True))
    conditions = {
        "peer": "kserve Model around the same SavedModel, nothing checked", "clients": clients, "rows": 1,
        "rounds": ROUNDS, "seconds_a_round": _SECONDS, "asked": ours,
        "ours_p99_ms": round(own_load.p99_seconds * 1e3, 2),
        "peer_p99_ms": round(plain_load.p99_seconds * 1e3, 2),
    }  # fmt: skip
    return own_load, plain_load, conditions


def start_server(command: list[str], address: str) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server and return it with the seconds until it was ready."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not _ready(address):
        if process.poll() is not None or time.perf_counter() - started > _START_SECONDS:
            process.kill()
            raise UnavailableError("the server did not become ready", value=command)
        time.sleep(0.02)
    return process, time.perf_counter() - started


def own_command(model: Path, port: int, engine: str = "auto") -> list[str]:
    """Return the module and arguments of our server, with gRPC beside it."""
    told = ["--port", str(port), "--grpc-port", str(free_port()), "--engine", engine]
    return ["components.serving.server", "--model", str(model), "--name", NAME, *told]


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _plain_server(model: Path) -> Generator[str]:
    port = free_port()
    with _serving(["benchmarks.peers.plain_kserve", str(model / "1"), str(port)], port, "plain") as url:
        yield url


@contextmanager
def _own_server(model: Path) -> Generator[str]:
    port = free_port()
    with _serving(own_command(model, port), port, NAME) as url:
        yield url


@contextmanager
def _serving(command: list[str], port: int, name: str) -> Generator[str]:
    address = f"http://127.0.0.1:{port}/v2/models/{name}"
    process, _ = start_server(command, f"{address}/ready")
    try:
        yield f"{address}/infer"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _endpoint(model: Path) -> Generator[str]:
    digest = model_digest(model)
    revision = digest[:12]
    with tempfile.TemporaryDirectory() as root:
        supervisor = start_detached(Path(root), free_port())
        try:
            body = {"model_uri": str(model), "model_digest": digest}
            place = f"/endpoints/{NAME}"
            call_control(supervisor.control, "PUT", f"{place}/revisions/{revision}", body)
            call_control(supervisor.control, "PUT", f"{place}/weights", {revision: 100})
            while not _ready(f"{supervisor.url}/v2/models/{NAME}/ready"):
                time.sleep(0.1)
            yield f"{supervisor.url}/v2/models/{NAME}/infer"
        finally:
            supervisor.stop()


def ask_rows(model: Path, count: int) -> bytes:
    """Return a request of so many golden rows, none with a missing value: a plain server knows none."""
    rows: list[Mapping[str, Any]] = [row["inputs"] for row in read_golden_requests(model)]
    whole = [row for row in rows if None not in row.values()]
    asked = [whole[place % len(whole)] for place in range(count)]
    inputs = [
        {
            "name": entry["name"], "datatype": entry["datatype"], "shape": [count],
            "data": [row[entry["name"]] for row in asked],
        }
        for entry in read_signature(model).inputs
    ]  # fmt: skip
    return json.dumps({"inputs": inputs}).encode()


def _answer(url: str, body: bytes) -> float:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request) as response:  # noqa: S310 - loopback
        return float(json.loads(response.read())["outputs"][0]["data"][0])


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=60) as response:  # noqa: S310 - loopback
            return response.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def median_load(loads: tuple[Load, ...]) -> Load:
    """Return the medians of what clients saw."""
    return Load(
        p50_seconds=statistics.median(each.p50_seconds for each in loads),
        p99_seconds=statistics.median(each.p99_seconds for each in loads),
        per_second=statistics.median(each.per_second for each in loads),
    )

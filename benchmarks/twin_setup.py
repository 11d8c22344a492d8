"""One model served by us twice, side by side: by its twin and by TensorFlow."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.http_load import Load, send_load
from benchmarks.serving_setup import (
    NAME,
    ask_rows,
    free_port,
    latest_model,
    median_load,
    own_command,
    start_server,
)

ENGINES = ("twin", "tensorflow")
ROUNDS = 5
_SECONDS = 2.0

Started = tuple[subprocess.Popen[bytes], str, float]


@contextmanager
def serve(model: Path, engine: str) -> Generator[Started]:
    """Serve a model by one engine; gives the process, the infer address, and the seconds to be ready."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/v2/models/{NAME}"
    process, seconds = start_server(own_command(model, port, engine), f"{address}/ready")
    try:
        yield process, f"{address}/infer", seconds
    finally:
        process.terminate()
        process.wait()


def compare_engines(*, rows: int, clients: int) -> tuple[Load, Load, dict[str, Any]]:
    """Load both servers in turns.

    Returns:
        Medians over the rounds: the twin's, TensorFlow's; and the conditions of both.
    """
    model = latest_model()
    body = ask_rows(model, rows)
    with ExitStack() as opened:
        urls = [opened.enter_context(serve(model, engine))[1] for engine in ENGINES]
        for url in urls:
            send_load(url, body, clients=clients, seconds=1.0)
        rounds = [
            [send_load(url, body, clients=clients, seconds=_SECONDS) for url in urls] for _ in range(ROUNDS)
        ]
    twin, tensorflow = (median_load(loads) for loads in zip(*rounds, strict=True))
    conditions = {
        "peer": "our server of the same model by TensorFlow", "clients": clients, "rows": rows,
        "rounds": ROUNDS, "seconds_a_round": _SECONDS,
        "ours_p99_ms": round(twin.p99_seconds * 1e3, 2),
        "peer_p99_ms": round(tensorflow.p99_seconds * 1e3, 2),
    }  # fmt: skip
    return twin, tensorflow, conditions

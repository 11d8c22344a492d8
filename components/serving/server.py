"""The model server: `python -m components.serving.server --model DIR --name NAME --port PORT`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.common.errors import ComponentError
from components.common.names import check_model_name
from components.common.twin.choose import ENGINES
from components.serving.config import ServingConfig
from components.serving.log import log_as_json

if TYPE_CHECKING:
    from components.serving.load import LoadedModel


def serve_model(
    model: LoadedModel, *, host: str, port: int, grpc_port: int | None, config: ServingConfig
) -> None:
    """Answer requests until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        model: The model.
        host: Address to listen on.
        port: Port to listen on.
        grpc_port: Port for gRPC, or None for none.
        config: Limits.
    """
    from components.serving.run import (
        start_server,
    )  # after the checks: a model that is refused ends at once

    start_server(model, host=host, port=port, grpc_port=grpc_port, config=config)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 2 or 3 with one line on standard error when the model is refused."""
    options = _parse(arguments)
    # Before NumPy is imported: threads of its own would wait for each other longer than they compute,
    # above all where a container has fewer processors than its machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from components.serving.load import load_model

    log_as_json(sys.stderr)
    if options.end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        name = check_model_name(options.name)
        model = load_model(Path(options.model), name, options.engine)
        serve_model(
            model, host=options.host, port=options.port, grpc_port=options.grpc_port, config=ServingConfig()
        )
    except ComponentError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="components.serving.server", description=__doc__)
    parser.add_argument("--model", required=True, help="folder of a complete model")
    parser.add_argument("--name", required=True, help="name in addresses")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default %(default)s)")
    parser.add_argument("--grpc-port", type=int, help="port for gRPC (default: none)")
    parser.add_argument(
        "--engine", choices=ENGINES, default="auto",
        help="what computes the answers (default: the twin where it is proven, else TensorFlow)",
    )  # fmt: skip
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


def _end_with_stdin() -> None:
    """End when whoever started this server is gone, killed or not: then the pipe closes."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

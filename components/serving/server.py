"""The model server: `python -m components.serving.server --model DIR --name NAME --port PORT`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.common.artifacts import Signature, read_golden_requests, read_signature, verify_model
from components.common.errors import ComponentError, RefusedError
from components.common.golden import find_difference, golden_columns
from components.common.names import check_model_name
from components.serving.check import encode_request
from components.serving.config import ServingConfig
from components.serving.engine import Engine, load_engine

log = logging.getLogger("millrace.serving")


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model that proved itself.

    Attributes:
        name: What it is called in addresses.
        signature: Its inputs and outputs.
        engine: What computes its answers.
    """

    name: str
    signature: Signature
    engine: Engine


def load_model(folder: Path, name: str) -> LoadedModel:
    """Verify, load and warm a complete model.

    Args:
        folder: A complete model: sealed by `digest.json`, with golden requests.
        name: What it shall be called.

    Raises:
        BadInputError: Its bytes are not those that were sealed, or they are no model.
        RefusedError: It does not answer its own golden requests as recorded.
    """
    digest = verify_model(folder)
    model = LoadedModel(name=name, signature=read_signature(folder), engine=load_engine(folder))
    _warm(model, folder)
    log.info("model %s of digest %s is loaded from %s", name, digest[:12], folder)
    return model


def _warm(model: LoadedModel, folder: Path) -> None:
    """Ask the golden requests, all at once and one alone: both shapes are traced before the first user."""
    golden = read_golden_requests(folder)
    for rows in (golden, golden[:1]):
        columns = golden_columns(rows, [entry["name"] for entry in model.signature.inputs])
        outputs = model.engine.predict(encode_request(columns, model.signature))
        answers = {name: values.tolist() for name, values in outputs.items()}
        if difference := find_difference(rows, answers):
            fix = "this machine computes other answers than the one that judged the model"
            raise RefusedError(f"warm-up failed: {difference}", where=folder / "golden.jsonl", fix=fix)


def serve_model(model: LoadedModel, *, host: str, port: int, config: ServingConfig) -> None:
    """Answer requests until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        model: The model.
        host: Address to listen on.
        port: Port to listen on.
        config: Limits.
    """
    from components.serving.rest import start_server  # kserve: a second of imports, after the checks

    start_server(model, host=host, port=port, config=config)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 2 or 3 with one line on standard error when the model is refused."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if options.end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        model = load_model(Path(options.model), check_model_name(options.name))
        serve_model(model, host=options.host, port=options.port, config=ServingConfig())
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
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


def _end_with_stdin() -> None:
    """End when whoever started this server is gone, killed or not: then the pipe closes."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

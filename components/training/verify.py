"""Verifying an export where nothing was trained, and deriving its twin there.

`python -m components.training.verify MODEL CHECK`
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from components.common.artifacts import Signature, read_signature
from components.common.documents import read_document, read_json, write_json
from components.common.encoding import encode_columns
from components.common.errors import ComponentError, named_exit
from components.common.saved_models import Serve, import_tensorflow, load_serving
from components.training.jobs import Check
from components.training.run_module import run_module

RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-7  # below it, float32 itself is no more exact for answers near 1

_TWIN = "twin.json"


def verify_export(model: Path, check: Path, *, timeout_seconds: float) -> dict[str, Any]:
    """Hold an exported model, loaded in another process, against the answers of the trained parts.

    Its twin is derived there, too, since that process has loaded it: `twin/` in the model's folder.

    Args:
        model: The model's folder: `1/` and `signature.json`.
        check: `check.json`: raw rows and their answers.
        timeout_seconds: When to give up.

    Returns:
        The entry `twin` of `model.json`.

    Raises:
        ComponentError: It does not load, or an answer differs by more than 1e-5 relatively. A fault of
            ours: the model must not be used.
    """
    module = "components.training.verify"
    ended = run_module(module, str(model), str(check), timeout_seconds=timeout_seconds, keep_errors=True)
    if ended.status != 0:
        sys.stderr.write(ended.errors)
        last = (ended.errors.strip().splitlines() or [f"no word, exit status {ended.status}"])[-1]
        raise ComponentError(f"the exported model failed its check: {last.removeprefix('error: ')}")
    return dict(read_json(check.with_name(_TWIN)))


def compare_answers(serve: Serve, model: Path, check: Path) -> int:
    """Answer the rows of a check with the exported model; returns how many agreed.

    Raises:
        ComponentError: An answer differs; the row is named.
    """
    expected, signature = read_document(check, Check), read_signature(model)
    lenient = Signature(inputs=[{**entry, "optional": True} for entry in signature.inputs], outputs=[])
    encoded = encode_columns(expected.rows, lenient)
    answers = serve(encoded)
    wanted = np.asarray(expected.answers, np.float32)
    return _require_equal(answers[signature.outputs[0]["name"]], wanted)


def _require_equal(answers: Any, expected: Any) -> int:
    if answers.shape != expected.shape:
        raise ComponentError(
            "answers have another shape", value=answers.shape, fix=f"expected {expected.shape}"
        )
    close = np.isclose(answers, expected, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE)
    wrong = np.flatnonzero(~close.reshape(len(close), -1).all(axis=1))
    if wrong.size:
        value = {"exported": answers[wrong[0]].tolist(), "trained": expected[wrong[0]].tolist()}
        raise ComponentError(
            f"{wrong.size} of {len(close)} answers differ", where=f"row {wrong[0]}", value=value
        )
    return len(close)


def _verify(model: Path, check: Path) -> None:
    from components.training.twin.derive import write_twin  # imports TensorFlow

    serve = load_serving(model / "1")
    compare_answers(serve, model, check)
    write_json(check.with_name(_TWIN), write_twin(model, serve.model))


def _hide_accelerators() -> None:
    """Answer on the processor, as servers do, and leave a GPU to the trials that share it."""
    import_tensorflow().config.set_visible_devices([], "GPU")


if __name__ == "__main__":
    with named_exit():
        _hide_accelerators()
        _verify(Path(sys.argv[1]), Path(sys.argv[2]))

"""Loading a model for serving: verified, looked through, and warmed by its golden requests."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from components.common.artifacts import Signature, read_evaluation, read_signature
from components.common.errors import BadInputError, RefusedError
from components.common.golden import find_difference, golden_columns, read_golden_requests
from components.common.model_scan import scan_saved_model
from components.common.seal import verify_model
from components.common.twin.choose import Choice, choose_engine
from components.serving.check import encode_request
from components.serving.engine import Engine, load_engine
from components.serving.expected import Expected, read_expected

log = logging.getLogger("millrace.serving")


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model that proved itself.

    Attributes:
        name: What it is called in addresses.
        revision: The first 12 digits of its digest.
        signature: Its inputs and outputs.
        expected: What training saw of the inputs.
        engine: What computes its answers.
        choice: Which one that is, and why.
    """

    name: str
    revision: str
    signature: Signature
    expected: Expected
    engine: Engine
    choice: Choice


def load_model(folder: Path, name: str, engine: str = "auto") -> LoadedModel:
    """Verify, look through, load and warm a complete model.

    Args:
        folder: A complete model: sealed by `digest.json`, with golden requests.
        name: What it shall be called.
        engine: What shall compute its answers; see `choose_engine`.

    Raises:
        BadInputError: Its bytes are not those that were sealed, they are no model, it could do more than
            compute, it was not judged as it is, or the engine is not to be had. Nothing was loaded.
        RefusedError: It does not answer its own golden requests as recorded, or fails at them.
    """
    digest = verify_model(folder)
    scan_saved_model(folder / "1")
    if (judged := read_evaluation(folder).model) != digest:
        what, fix = "the evaluation in it is of another model", "evaluate the model again"
        raise BadInputError(what, where=folder, value=judged, fix=fix)
    signature, choice = read_signature(folder), choose_engine(folder, engine)
    model = LoadedModel(
        name=name, revision=digest[:12], signature=signature, choice=choice,
        expected=read_expected(folder, signature), engine=load_engine(folder, choice),
    )  # fmt: skip
    _warm(model, folder)
    told = {"model": name, "revision": digest[:12], "engine": choice.engine, "reason": choice.reason}
    log.info("model is loaded", extra=told)
    return model


def _warm(model: LoadedModel, folder: Path) -> None:
    """Ask the golden requests, all at once and one alone: both shapes are traced before the first user."""
    golden = read_golden_requests(folder)
    for rows in (golden, golden[:1]):
        columns = golden_columns(rows, [entry["name"] for entry in model.signature.inputs])
        encoded = encode_request(columns, model.signature)
        try:
            outputs = model.engine.predict(encoded)
        except Exception as error:  # the two engines share no kind of error; none can answer then
            told = f"{type(error).__name__}: {error}"
            what = f"warm-up failed: the engine `{model.choice.engine}` fails with {told}"
            fix = "no answer can be had of this model: train and evaluate it again"
            raise RefusedError(what, where=folder, fix=fix) from error
        answers = {name: values.tolist() for name, values in outputs.items()}
        if difference := find_difference(rows, answers):
            fix = "this machine computes other answers than the one that judged the model"
            raise RefusedError(f"warm-up failed: {difference}", where=folder / "golden.jsonl", fix=fix)

"""The model that is to be released: verified, scanned, judged good, and what it must answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.common.artifacts import Signature, read_evaluation, read_model_record, read_signature
from components.common.errors import BadInputError, RefusedError
from components.common.golden import Row, read_golden_requests
from components.common.model_scan import scan_saved_model
from components.common.seal import verify_model
from components.common.twin.choose import choose_engine
from components.deployment.target import Wanted


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The model to release.

    Attributes:
        wanted: Name, revision and model.
        signature: Its inputs and outputs; None when its model cannot be read here, so that it is proved by
            its own server alone, which answers its golden requests before it is ready.
        golden: Golden requests; at least one when there is a signature.
    """

    wanted: Wanted
    signature: Signature | None = None
    golden: Sequence[Row] = ()

    @property
    def name(self) -> str:
        """Model name."""
        return self.wanted.name

    @property
    def revision(self) -> str:
        """Name of its revision."""
        return self.wanted.revision


def read_candidate(
    model: Path,
    golden_requests: Path,
    *,
    name: str,
    model_uri: str | None = None,
    run_id: str | None = None,
    engine: str = "auto",
) -> Candidate:
    """Read a model that is to be released, after everything that can be wrong with it.

    Args:
        model: Folder of the complete model.
        golden_requests: Folder with `golden.jsonl`.
        name: Model name.
        model_uri: Where its target reads it; unset: this folder.
        run_id: The run that releases it, or None.
        engine: What shall compute its answers; see `choose_engine`.

    Raises:
        BadInputError: The model does not match its digest, may do more than compute, was not judged, or
            cannot be served by the engine.
        RefusedError: It was not blessed.
    """
    digest = verify_model(model)
    scan_saved_model(model / "1")
    judged = read_evaluation(model)
    if judged.model != digest:
        raise BadInputError("evaluation.json judges another model", where=model, value=judged.model)
    if not judged.passed:
        reason = judged.reasons[0] if judged.reasons else "no reason was recorded"
        raise RefusedError(f"the model was not blessed: {reason}", where=model)
    wanted = Wanted(
        name=name, revision=digest[:12], model_uri=model_uri or str(model), model_digest=digest,
        data_version=read_model_record(model).digests.get("snapshot"), run_id=run_id,
        engine=choose_engine(model, engine).engine,
    )  # fmt: skip
    return Candidate(
        wanted=wanted, signature=read_signature(model), golden=read_golden_requests(golden_requests)
    )

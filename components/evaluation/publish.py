"""Publishing what evaluation found: complete folders, or none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from components.common.artifacts import (
    Evaluation,
    Verdict,
    write_evaluation,
    write_model_card,
    write_verdict,
)
from components.common.golden import Row, write_golden_requests
from components.common.seal import seal_model
from components.common.storage import publishing

# What a model may carry that does not belong into the complete one.
_LEFT_BEHIND = shutil.ignore_patterns("trials.json", "digest.json", ".*")


def publish_evaluation(target: Path, evaluation: Evaluation, verdict: Verdict) -> None:
    """Publish the folder `evaluation`: `evaluation.json` and `verdict.json`."""
    with publishing(target) as draft:
        draft.mkdir()
        write_evaluation(draft, evaluation)
        write_verdict(draft, verdict)


def publish_golden(target: Path, golden: Sequence[Row]) -> None:
    """Publish the folder `golden_requests`: `golden.jsonl`."""
    with publishing(target) as draft:
        draft.mkdir()
        write_golden_requests(draft, golden)


def publish_model(
    target: Path, bare: Path, evaluation: Evaluation, golden: Sequence[Row], card: str
) -> None:
    """Publish the complete model: the bare one, how good it is, golden requests, the card, and the seal.

    Args:
        target: Folder to write.
        bare: The model from training; it is only read, and keeps its digest in the copy.
        evaluation: How good it is.
        golden: What every server of it must answer.
        card: The model card, Markdown.
    """
    with publishing(target) as draft:
        shutil.copytree(bare, draft, ignore=_LEFT_BEHIND, copy_function=shutil.copyfile)
        write_evaluation(draft, evaluation)
        write_golden_requests(draft, golden)
        write_model_card(draft, card)
        seal_model(draft)

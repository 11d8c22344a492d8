"""Expectations of how answers move when a column does: invariance and direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.config import require_known
from components.common.encoding import missing_mask
from components.common.errors import BadInputError
from components.evaluation.config import EvaluationConfig
from components.evaluation.judged import Judged
from components.evaluation.predict import LoadedModel


@dataclass(frozen=True, kw_only=True, slots=True)
class SanityTest:
    """One expectation, put to the model.

    Attributes:
        column: The column that was changed.
        expectation: `invariant`, `increasing` or `decreasing`.
        rows: Rows that were asked again.
        share: Share of them for which it held, in [0, 1].
        largest: Largest change against the expectation, in the answer's unit.
        passed: Whether the share suffices.
    """

    column: str
    expectation: str
    rows: int
    share: float
    largest: float
    passed: bool


def check_sanity(
    model: LoadedModel, judged: Judged, table: Any, config: EvaluationConfig
) -> list[SanityTest]:
    """Change one column of the test rows and see whether answers move as they should.

    The two kinds are those of CheckList (Ribeiro et al. 2020). *Invariant*: each row gets the column's
    value of another row, and its answer must stay. *Increasing* and *decreasing*: the column rises by one
    standard deviation, and the answer must not fall, or rise.

    Args:
        model: Answers.
        judged: Labels and answers of the rows.
        table: Their raw columns.
        config: Expectations, the change that counts as none, and the share of rows that must obey.

    Raises:
        BadInputError: A column is not in the data, or has no direction: it is text, or the model answers
            several classes.
    """
    encoded = model.encode(table) if config.sanity else {}
    return [
        _put(model, judged, table, encoded, column, expectation, config)
        for column, expectation in config.sanity.items()
    ]


def _put(
    model: LoadedModel,
    judged: Judged,
    table: Any,
    encoded: dict[str, NDArray[Any]],
    column: str,
    expectation: str,
    config: EvaluationConfig,
) -> SanityTest:
    where = f"evaluation.sanity.{column}"
    require_known([column], [*encoded, *table.column_names], where="evaluation.sanity")
    if column not in encoded:  # the model does not read it: nothing moves, and that is what invariant asks
        held = expectation == "invariant"
        return SanityTest(
            column=column, expectation=expectation, rows=len(judged.labels), share=float(held), largest=0.0,
            passed=held,
        )  # fmt: skip
    if expectation == "invariant":
        changed = np.random.default_rng(0).permutation(encoded[column])
        rows = np.arange(len(changed))
    else:
        _require_direction(encoded[column], judged, where)
        changed, rows = _raise(encoded[column])
    asked = {name: values[rows] for name, values in {**encoded, column: changed}.items()}
    answers = model.answer_encoded(asked, batch_size=config.batch_size) if len(rows) else judged.answers[:0]
    against = _against(judged.answers[rows], answers, expectation)
    allowed = config.sanity_tolerance * (float(judged.labels.std()) if judged.task == "regression" else 1.0)
    share = float((against <= allowed).mean()) if len(rows) else 0.0
    return SanityTest(
        column=column,
        expectation=expectation,
        rows=len(rows),
        share=share,
        largest=float(np.max(against[np.isfinite(against)], initial=0.0)),
        passed=share >= config.min_sanity_share,
    )


def _require_direction(values: NDArray[Any], judged: Judged, where: str) -> None:
    if values.dtype == np.object_:
        fix = "a column of text or dates can be `invariant`"
        raise BadInputError("only numbers have a direction", where=where, fix=fix)
    if judged.answers.ndim == 2:
        fix = "with several classes a column can be `invariant`"
        raise BadInputError("only one answer has a direction", where=where, fix=fix)


def _raise(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the column, each value higher by one standard deviation, and the rows that have a value."""
    present = ~missing_mask(values) & (np.isfinite(values) if values.dtype.kind == "f" else True)
    rows = np.flatnonzero(present)
    step = float(values[rows].astype(np.float64).std()) if len(rows) else 0.0
    rise = max(1, round(step)) if values.dtype.kind == "i" else step
    return np.where(present, values + values.dtype.type(rise), values), rows


def _against(
    before: NDArray[np.float32], after: NDArray[np.float32], expectation: str
) -> NDArray[np.float64]:
    moved = after.astype(np.float64) - before.astype(np.float64)
    if expectation == "invariant":
        return np.abs(moved).reshape(len(moved), -1).max(axis=1)
    return np.maximum(0.0, moved if expectation == "decreasing" else -moved)

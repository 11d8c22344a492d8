"""Proving the twin: it answers as the SavedModel, or TensorFlow serves the model and the reason is told."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.errors import ComponentError
from components.common.golden import TOLERANCE, least_difference
from components.common.twin.kinds import OperationError
from components.common.twin.program import Program, read_program
from components.common.twin.run import Twin
from components.evaluation.count_unasked import count_unasked
from components.evaluation.direct_rows import direct_rows
from components.evaluation.predict import LoadedModel
from components.evaluation.split_refused import UncountedError, answers_any, split_refused

_ALONE = 16  # rows that are asked one by one
_PART = 1000  # rows that are asked together otherwise than in the batches before

Columns = Mapping[str, NDArray[Any]]
Answers = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class TwinProof:
    """What came of the proof.

    Attributes:
        proven: Whether a server may take the twin.
        reason: Why it may not; None when it may.
        rows: Rows of the test split that both answered.
        directed: Rows made from the program that both answered.
        unasked: Entries of the program's tables that none of these rows looks up.
        difference: Largest difference found, relative to the larger of two answers; two digits.
    """

    proven: bool
    reason: str | None = None
    rows: int = 0
    directed: int = 0
    unasked: int = 0
    difference: float = 0.0

    def __str__(self) -> str:
        """Say by what the model is served, and why, in one sentence."""
        if not self.proven:
            return f"It is served by TensorFlow: {self.reason}."
        shown = f"{self.rows:,} test rows and {self.directed:,} rows made for it"
        rest = f"; {self.unasked:,} entries of its tables were asked by none" if self.unasked else ""
        return f"It is served by its twin, without TensorFlow: {shown} were answered alike{rest}."


def prove_twin(model: LoadedModel, table: Any, answers: Answers, *, batch_size: int) -> TwinProof:
    """Hold a model's twin against its SavedModel.

    Asked are all rows of the test split and directed rows made from the program; some of both again in a
    batch of another size, in another order, and one by one.

    Args:
        model: The model; its folder has `twin/` when one was derived.
        table: Raw columns of the test split, at least one row.
        answers: What the SavedModel answered them.
        batch_size: Rows per call.
    """
    if not (model.folder / "twin").is_dir():
        return TwinProof(proven=False, reason=model.record.twin.get("reason") or "no twin was derived")
    try:
        program = read_program(model.folder / "twin")
        encoded = model.encode(table)
        return prove_program(program, model, encoded, answers, batch_size=batch_size)
    except (ComponentError, OperationError) as error:
        what = str(error).split(" — ")[0]  # without the place: equal inputs elsewhere give equal bytes
    except Exception as error:  # NumPy raises many kinds over a wrong program; each leaves it unproven
        traceback.print_exc()
        what = type(error).__name__
    return TwinProof(proven=False, reason=f"the twin fails: {what}")


def prove_program(
    program: Program, model: LoadedModel, encoded: Columns, answers: Answers, *, batch_size: int
) -> TwinProof:
    """Hold a program against a SavedModel; see `prove_twin`.

    Args:
        program: The twin's.
        model: The model.
        encoded: The test split, encoded.
        answers: What the SavedModel answered it.
        batch_size: Rows per call.
    """
    twin = Twin(program)

    def ask(columns: Columns) -> Answers:
        return twin.predict(columns)[model.output]

    def refuse(reason: str) -> TwinProof:
        return TwinProof(proven=False, reason=reason, rows=len(answers))

    least = least_difference(model.output, answers.tolist())
    seen = _differ(_ask_in_batches(ask, encoded, batch_size), answers, least)
    if not np.all(seen <= TOLERANCE):
        return refuse(_tell("test", seen))
    rows = direct_rows(program, model.signature, encoded, _read_vocabularies(model.folder / "1"))
    try:
        directed, refused = split_refused(model, rows, batch_size)
    except UncountedError as error:
        return refuse(f"the twin cannot be proven: {error}")
    wanted = model.answer_encoded(directed, batch_size=batch_size)
    made = _differ(_ask_in_batches(ask, directed, batch_size), wanted, least)
    if not np.all(made <= TOLERANCE):
        return refuse(_tell("directed", made))
    if answers_any(twin, refused):
        return refuse("the twin answers a row that TensorFlow refuses")
    for columns, expected in ((encoded, answers), (directed, wanted)):
        if reason := _find_dependence(ask, model, columns, expected, least):
            return refuse(reason)
    largest = max(float(seen.max(initial=0.0)), float(made.max(initial=0.0)))
    return TwinProof(
        proven=True, rows=len(answers), directed=len(wanted), difference=float(f"{largest:.1e}"),
        unasked=count_unasked(program, (encoded, directed)),
    )  # fmt: skip


def _read_vocabularies(saved_model: Path) -> list[list[bytes]]:
    return [file.read_bytes().split(b"\n") for file in sorted(saved_model.glob("assets/*"))]


def _ask_in_batches(ask: Callable[[Columns], Answers], columns: Columns, size: int) -> Answers:
    rows = len(next(iter(columns.values())))
    return np.concatenate([
        ask({name: values[start : start + size] for name, values in columns.items()})
        for start in range(0, rows, size)
    ])  # fmt: skip


def _find_dependence(
    ask: Callable[[Columns], Answers], model: LoadedModel, columns: Columns, wanted: Answers, least: float
) -> str | None:
    """Return in words how an answer depends on the rows that are asked with it; None when none does.

    The model is asked for one row, too: TensorFlow's kernels compute it in another way than a group.
    """
    rows = len(wanted)
    turned = np.arange(rows)[::-1][:_PART]
    alone = np.unique(np.linspace(0, rows - 1, _ALONE).astype(np.int64))
    for chosen in (turned, *(one.reshape(1) for one in alone)):
        part = {name: values[chosen] for name, values in columns.items()}
        found, expected = ask(part), [wanted[chosen]]
        if len(chosen) == 1:
            expected.append(model.answer_encoded(part, batch_size=1))
        if not all(np.all(_differ(found, each, least) <= TOLERANCE) for each in expected):
            return f"the twin answers otherwise when {len(chosen)} rows are asked together"
    return None


def _differ(found: Answers, expected: Answers, least: float) -> NDArray[np.float64]:
    """Return how far answers are apart, relative to the larger one; 0 where that is at most the least.

    NaN is where only one is a number. One NaN alone says that type or shape are others.
    """
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        return np.full(1, np.nan)
    one, other = found.astype(np.float64), expected.astype(np.float64)
    larger = np.maximum(np.abs(one), np.abs(other))
    with np.errstate(invalid="ignore"):
        distance = np.where((one == other) | (np.abs(one - other) <= least), 0.0, np.abs(one - other))
        relative = np.divide(distance, larger, out=np.zeros_like(distance), where=distance > 0)
    both = np.isnan(one) & np.isnan(other)
    return np.where(both, 0.0, np.where(np.isnan(one) | np.isnan(other), np.nan, relative))


def _tell(name: str, difference: NDArray[np.float64]) -> str:
    wrong: NDArray[np.bool_] = (~(difference <= TOLERANCE)).reshape(len(difference), -1).max(axis=1)
    count = f"{int(wrong.sum()):,} of {len(wrong):,} {name} rows"
    return f"{count} are answered otherwise, row {int(wrong.argmax())} first"

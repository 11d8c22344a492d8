"""Golden requests: asked of every server of a model, whose answers must equal the recorded ones."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from components.common.errors import BadInputError
from components.common.storage import publishing

Row = Mapping[str, Any]

TOLERANCE = 1e-5  # relative; the same graph rounds differently for other batch sizes and machines
_FLOOR = 1e-7  # absolute: below it float32 has nothing left to compare
_SHARE = 1e-6  # the same for predictions, of their usual size: near zero their terms cancel


def write_golden_requests(folder: Path, rows: Sequence[Row]) -> None:
    """Write `golden.jsonl`: one `{"inputs": {name: value or null}, "outputs": {name: value}}` a line."""
    with publishing(folder / "golden.jsonl") as draft:
        lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
        draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_golden_requests(folder: Path) -> list[Row]:
    """Read `golden.jsonl`.

    Raises:
        BadInputError: The file is missing, empty, or a line is not such an object (the line is named).
    """
    file = folder / "golden.jsonl"
    if not file.exists():
        raise BadInputError("golden requests are missing", where=file, fix="evaluate the model first")
    rows: list[Row] = []
    lines = file.read_bytes().splitlines()  # of text it would break at U+2028, which JSON leaves as it is
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            rows.append({"inputs": dict(row["inputs"]), "outputs": dict(row["outputs"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BadInputError("not a golden request", where=f"{file}:{number}", value=line) from error
    if not rows:
        raise BadInputError("no golden request in the file", where=file, fix="evaluate the model first")
    return rows


def golden_columns(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the inputs of golden requests by column, None where a value is missing."""
    return {name: [row["inputs"].get(name) for row in rows] for name in names}


def least_difference(output: str, answers: Sequence[Any]) -> float:
    """Return how far answers may be apart, however small they are.

    Args:
        output: `probability`, `probabilities` or `prediction`.
        answers: What was answered; of a prediction their median size counts.
    """
    if output != "prediction":
        return _FLOOR
    sizes = [abs(one) for one in answers if isinstance(one, (int, float)) and math.isfinite(one)]
    return max(_FLOOR, _SHARE * median(sizes)) if sizes else _FLOOR


def find_difference(rows: Sequence[Row], answers: Mapping[str, Sequence[Any]]) -> str | None:
    """Compare answers with recorded ones: at most 1e-5 apart, relative to the larger, or by the least.

    Args:
        rows: Golden requests.
        answers: For each output one entry a row: a number, or a list of numbers.

    Returns:
        The first difference in words, or None when all answers are equal.
    """
    names = {name for row in rows for name in row["outputs"]}
    least = {name: least_difference(name, [row["outputs"].get(name) for row in rows]) for name in names}
    for number, row in enumerate(rows):
        for name, wanted in row["outputs"].items():
            column = answers.get(name, ())
            if len(column) != len(rows):
                return f"output `{name}` has {len(column)} answers to {len(rows)} golden requests"
            if not _equal(wanted, column[number], least[name]):
                return f"golden request {number + 1}: `{name}` was {wanted}, now {column[number]}"
    return None


def _equal(wanted: Any, got: Any, least: float) -> bool:
    if isinstance(wanted, list):
        if not isinstance(got, list) or len(wanted) != len(got):
            return False
        return all(_equal(one, other, least) for one, other in zip(wanted, got, strict=True))
    if not isinstance(wanted, (int, float)) or not isinstance(got, (int, float)):
        return False
    return math.isclose(wanted, got, rel_tol=TOLERANCE, abs_tol=least)

"""The page about one batch: what was found, what every column looks like, and what belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from components.common.page import write_page
from components.data_validation.correlate import Association
from components.data_validation.draw_cards import make_cards
from components.data_validation.outcome import Validation
from components.data_validation.rules import RULES

_SHOWN_PAIRS = 12
_MOST_IN_MATRIX = 24

Cell = tuple[int, int, float, str]


def write_report(path: Path, validation: Validation, label: str) -> None:
    """Write the HTML page of one validation."""
    batch, verdict = validation.batch, validation.verdict
    findings = [
        {
            "rule": finding.rule.replace("_", " "), "feature": finding.feature, "severity": severity,
            "message": finding.message, "meaning": RULES[finding.rule].meaning,
            "value": _show(finding.value), "threshold": _show(finding.threshold),
            "example": finding.example,
        }
        for finding, severity in validation.findings
    ]  # fmt: skip
    names = [
        name for name in batch.columns if any(name in (a.first, a.second) for a in validation.associations)
    ]
    write_page(
        path, Path(__file__).with_name("report.html"), title="Data validation",
        verdict=verdict, label=label, version=validation.version, findings=findings,
        errors=validation.count("error"), warnings=validation.count("warning"),
        rows={split: f"{table.num_rows:,}" for split, table in batch.tables.items()},
        before=_rows_before(validation), columns=len(batch.columns), cards=make_cards(validation),
        pairs=validation.associations[:_SHOWN_PAIRS], names=names if len(names) <= _MOST_IN_MATRIX else [],
        cells=draw_matrix(names, validation.associations), exempt=validation.exempt,
    )  # fmt: skip


def _rows_before(validation: Validation) -> dict[str, str]:
    if validation.baseline is None:
        return {}
    return {each.name: f"{each.num_examples:,}" for each in validation.baseline.statistics.datasets}


def _show(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def draw_matrix(names: Sequence[str], associations: Sequence[Association]) -> list[Cell]:
    """Return `(row, column, strength in [0, 1], words)` of each pair, below the diagonal."""
    place = {name: at for at, name in enumerate(names)}
    return [
        (place[each.second], place[each.first], min(1.0, abs(each.value)),
         f"{each.first} and {each.second}: {each.measure} {each.value:.2f}")
        for each in associations
    ]  # fmt: skip

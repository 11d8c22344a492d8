"""The page about one transform: what was derived from what, and what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.common.artifacts import TransformSummary
from components.common.page import write_page
from components.transform.apply import Applied
from components.transform.derive import Derived
from components.transform.measure import Measured
from components.transform.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One raw column, or one output of the user's function, and what became of it.

    Attributes:
        column: Its name.
        kind: Kind of the column; empty for an output of the user's function.
        features: `(name, "number" or "index of <size>")` of each feature.
        why: The reason for the encoding.
        learnt: What the train split taught, in words.
    """

    column: str
    kind: str
    features: list[tuple[str, str]]
    why: str
    learnt: str


def write_report(path: Path, plan: Plan, summary: TransformSummary, applied: Mapping[str, Applied]) -> None:
    """Write the HTML page of one transform."""
    if plan.user_fn:
        lines = [_output(feature) for feature in summary.features]
    else:
        lines = [_line(feature, plan.columns.get(feature.column), summary) for feature in plan.derived]
    write_page(
        path, Path(__file__).with_name("report.html"), title="Transform", summary=summary, lines=lines,
        warnings=plan.warnings, by_user=plan.user_fn is not None,
        rows={split: f"{one.rows:,}" for split, one in applied.items()},
        left_out={split: f"{one.unlabelled:,}" if one.unlabelled else "" for split, one in applied.items()},
    )  # fmt: skip


def _output(feature: Mapping[str, str | int]) -> Line:
    shape = _shape(feature)
    return Line(column=str(feature["name"]), kind="", features=[shape], why="", learnt="")


def _line(feature: Derived, measured: Measured | None, summary: TransformSummary) -> Line:
    shapes = [_shape(one) for one in summary.features if one["column"] == feature.column]
    learnt = _learnt(feature, measured or Measured())
    return Line(column=feature.column, kind=feature.kind, features=shapes, why=feature.why, learnt=learnt)


def _shape(feature: Mapping[str, str | int]) -> tuple[str, str]:
    shape = "number" if feature["encoding"] == "number" else f"index of {feature['size']:,}"
    return str(feature["name"]), shape


def _learnt(feature: Derived, measured: Measured) -> str:
    if feature.personal:
        return "not shown: the column is personal"
    if feature.encoding == "hash":
        return f"nothing: {feature.size:,} buckets by hash"
    if feature.encoding == "category":
        count = len(measured.vocabulary)
        return f"{count:,} value{'' if count == 1 else 's'}" + (
            ", the most frequent" if feature.truncated else ""
        )
    unit = "days since 1970: " if feature.encoding == "calendar" else ""
    clip = f", clipped to {_round(measured.clip[0])} … {_round(measured.clip[1])}" if measured.clip else ""
    return f"{unit}mean {_round(measured.mean)}, deviation {_round(measured.deviation)}{clip}"


def _round(value: float) -> str:
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 or value == int(value) else f"{value:,.4g}"

"""The page of all runs of a root: `index.html`, written anew at the end of each."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.artifacts import read_evaluation
from components.common.errors import ComponentError
from components.common.page import write_page
from components.common.storage import make_folder
from pipelines.local.history import Run, read_runs
from pipelines.pages.layout import TONES
from pipelines.summary import artifact_folders

_TEMPLATE = Path(__file__).with_name("index.html")
_MOST_RUNS = 200  # older ones are counted; `millrace runs` lists them all
_MOST_METRICS = 4
_WIDTH, _HEIGHT, _EDGE = 180.0, 40.0, 4.0


@dataclass(frozen=True, kw_only=True)
class Sparkline:
    """One metric over the runs of a group, the oldest on the left.

    Attributes:
        name: The metric.
        newest: Its newest value.
        pieces: Points of a polyline each; a run without the metric parts them.
        last: Where the newest value is.
        label: What it shows, in words.
    """

    name: str
    newest: float
    pieces: tuple[str, ...]
    last: tuple[float, float]
    label: str
    width: float = _WIDTH
    height: float = _HEIGHT


@dataclass(frozen=True, kw_only=True)
class _Row:
    run: Run
    page: str | None
    tone: str
    metrics: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Runs of one pipeline that make the same model, newest first."""

    title: str
    rows: Sequence[_Row]
    lines: Sequence[Sparkline]


def write_index(root: Path) -> Path:
    """Write `index.html` over the runs of a root.

    Runs that end at the same moment write one after the other, each from all records there are by then: the
    last one to write has seen the end of all.

    Args:
        root: Folder of runs; made when missing.

    Raises:
        ComponentError: The folder cannot be written to.
    """
    make_folder(root)
    page = root / "index.html"
    with _alone(root):
        runs = read_runs(root)
        write_page(
            page, _TEMPLATE, title="Runs", groups=_groups(runs[:_MOST_RUNS], root.absolute()),
            count=len(runs), more=max(0, len(runs) - _MOST_RUNS),
        )  # fmt: skip
    return page


@contextmanager
def _alone(root: Path) -> Generator[None]:
    handle = os.open(root / ".index.lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _groups(runs: Sequence[Run], root: Path) -> list[_Group]:
    rows: dict[tuple[str, str], list[_Row]] = {}
    for run in runs:
        name = str(run.record.get("parameters", {}).get("model_name", ""))
        rows.setdefault((str(run.record["pipeline"]), name), []).append(_row(run, root))
    return [
        _Group(title=f"{pipeline} · {model}" if model else pipeline, rows=found, lines=_lines(found))
        for (pipeline, model), found in rows.items()
    ]


def _row(run: Run, root: Path) -> _Row:
    page = run.folder / "report.html"
    link = page.relative_to(root).as_posix() if page.is_file() else None
    tone = TONES.get(str(run.record["state"]), "plain")
    return _Row(run=run, page=link, tone=tone, metrics=_metrics(run.record))


def _metrics(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics of the judged model, the primary one first; of other pipelines none."""
    try:
        metrics = read_evaluation(artifact_folders(record["outputs"])["evaluation"]).metrics
        return {name: float(one["value"]) for name, one in metrics.items()}
    except (ComponentError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return {}


def _lines(rows: Sequence[_Row]) -> list[Sparkline]:
    names = dict.fromkeys(name for row in rows for name in row.metrics)
    found = [_line(name, [row.metrics.get(name) for row in reversed(rows)]) for name in names]
    return found[:_MOST_METRICS]


def _line(name: str, values: Sequence[float | None]) -> Sparkline:
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    points = [
        None if value is None else _point(at, len(values), value, low, high)
        for at, value in enumerate(values)
    ]
    pieces: list[list[str]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{point[0]:.1f},{point[1]:.1f}")
    told = f"{name} of {len(known)} runs, between {low:.4g} and {high:.4g}"
    return Sparkline(
        name=name, newest=known[-1], pieces=tuple(" ".join(piece) for piece in pieces if len(piece) > 1),
        last=next(point for point in reversed(points) if point is not None), label=told,
    )  # fmt: skip


def _point(at: int, count: int, value: float, low: float, high: float) -> tuple[float, float]:
    x = _WIDTH / 2 if count == 1 else _EDGE + (_WIDTH - 2 * _EDGE) * at / (count - 1)
    share = 0.5 if high == low else (value - low) / (high - low)
    return round(x, 1), round(_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * share, 1)

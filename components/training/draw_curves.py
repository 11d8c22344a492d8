"""Drawing the learning curves of a task's trials: one page, one figure per trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.common.artifacts import Task
from components.common.page import write_page
from components.training.objectives import OBJECTIVES
from components.training.records import TrialRecord

# The plot's corners inside a view box of 320 x 200.
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 310.0, 10.0, 165.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The curve of one trial as coordinates.

    Attributes:
        record: The trial.
        train: Points of the train loss, as SVG wants them.
        evaluation: Points of the eval loss.
        best: Coordinates of the lowest eval loss, whose weights were kept.
        best_epoch: Its epoch.
        low: Lowest loss.
        high: Highest loss.
    """

    record: TrialRecord
    train: str
    evaluation: str
    best: tuple[float, float]
    best_epoch: int
    low: str
    high: str


def draw_curves(page: Path, records: Sequence[TrialRecord], task: Task) -> None:
    """Write the page.

    Args:
        page: The HTML file to write.
        records: The trials of the task, best first.
        task: It names the metric that is shown.
    """
    write_page(
        page, Path(__file__).with_name("report.html"), title="Learning curves",
        figures=[draw_curve(record) for record in records if record.curve],
        failed=[record for record in records if record.state == "failed"],
        metric=OBJECTIVES[task].metric,
    )  # fmt: skip


def draw_curve(record: TrialRecord) -> Figure:
    """Return the coordinates of one trial's losses; it has at least one epoch."""
    losses = [(point["train_loss"], point["eval_loss"]) for point in record.curve]
    low, high = min(map(min, losses)), max(map(max, losses))
    height = high - low or 1.0

    def place(position: int, loss: float) -> tuple[float, float]:
        x = _LEFT + (_RIGHT - _LEFT) * position / max(1, len(losses) - 1)
        return round(x, 1), round(_BOTTOM - (_BOTTOM - _TOP) * (loss - low) / height, 1)

    train = [place(position, loss) for position, (loss, _) in enumerate(losses)]
    evaluation = [place(position, loss) for position, (_, loss) in enumerate(losses)]
    best = min(range(len(losses)), key=lambda position: losses[position][1])
    return Figure(
        record=record, train=_points(train), evaluation=_points(evaluation), best=evaluation[best],
        best_epoch=best + 1, low=f"{low:.4g}", high=f"{high:.4g}",
    )  # fmt: skip


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)

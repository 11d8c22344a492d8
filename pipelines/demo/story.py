"""What happened in the demo, for its page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from components.common.page import write_page
from pipelines.local.result import RunResult

_TEMPLATE = Path(__file__).with_name("demo.html")
_WIDTH, _HEIGHT, _SIDE, _EDGE = 480.0, 150.0, 40.0, 26.0  # pixels, as the page has them


@dataclass(kw_only=True)
class Step:
    """A run of the demo, as its page tells it.

    Attributes:
        pipeline: Its name.
        run_id: Its id.
        state: How it ended.
        reason: Why, when it did not succeed.
    """

    pipeline: str
    run_id: str
    state: str
    reason: str | None

    @classmethod
    def of(cls, result: RunResult) -> Step:
        """Return what is told of a run."""
        told = (result.error or "").split(": ", 1)[-1]  # without the task's name
        reason = told.rpartition(" — ")[0] or told or None  # and without what to do, which the page shows
        return cls(pipeline=result.pipeline, run_id=result.run_id, state=result.state, reason=reason)


@dataclass(kw_only=True)
class Month:
    """One month of flights.

    Attributes:
        number: 1 to 12.
        rows: Rows of its batch.
        late: Share that was late, in [0, 1].
        predicted: Mean probability that the model then serving gave, before anybody knew; None in January.
        checked: The run that held it against the serving model's data; None in January.
        trained: The run that trained because of it, or None.
        revision: What serves at its end.
    """

    number: int
    rows: int
    late: float
    predicted: float | None = None
    checked: Step | None = None
    trained: Step | None = None
    revision: str = ""


@dataclass(kw_only=True)
class Story:
    """All of it.

    Attributes:
        planned: How many months were to be played.
        months: Those that were.
        sabotaged: The run whose model was made to be refused, or None so far.
        kept: The same revision served, with the same answers, after that run.
        ended: How the demo ended, or None while it goes on.
    """

    planned: int
    months: list[Month] = field(default_factory=list[Month])
    sabotaged: Step | None = None
    kept: bool = False
    ended: str | None = None

    def write(self, root: Path) -> Path:
        """Write `demo.html` over the runs of a root; what has not happened yet is not there."""
        write_page(root / "demo.html", _TEMPLATE, title="A year of flights", story=self, chart=_chart(self))
        return root / "demo.html"


@dataclass(frozen=True, kw_only=True)
class _Chart:
    """Two lines over the months, in pixels; ticks are x and the month's number."""

    late: str
    predicted: str
    ticks: list[tuple[float, int]]
    retrained: list[float]
    top: int


def _chart(story: Story) -> _Chart | None:
    if len(story.months) < 2:
        return None
    most = max(max(month.late, month.predicted or 0.0) for month in story.months)
    top = 10 * (int(10 * most) + 1)
    at = {
        month.number: _SIDE + (_WIDTH - 2 * _SIDE) * index / (len(story.months) - 1)
        for index, month in enumerate(story.months)
    }

    def line(values: dict[int, float | None]) -> str:
        known = [(at[number], value) for number, value in values.items() if value is not None]
        return " ".join(
            f"{x:.1f},{_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * 100 * y / top:.1f}" for x, y in known
        )

    return _Chart(
        late=line({month.number: month.late for month in story.months}),
        predicted=line({month.number: month.predicted for month in story.months}),
        ticks=[(round(x, 1), number) for number, x in at.items()],
        retrained=[round(at[month.number], 1) for month in story.months if month.trained], top=top,
    )  # fmt: skip

"""The progress of a run for people: finished tasks stay as lines, running ones tick below."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelines.local.events import Event, Notice, RunFinished, RunStarted, TaskChanged

_MARKS = {
    "succeeded": ("✓", "green"),
    "cached": ("=", "cyan"),
    "failed": ("✗", "red"),
    "skipped": ("·", "dim"),
    "cancelled": ("■", "yellow"),
}


@dataclass
class Progress:
    """Prints events as they come; in a terminal the running tasks are shown live.

    Attributes:
        console: Where to print; standard error, so that standard output stays for results.
    """

    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def __post_init__(self) -> None:
        """Begin with nothing running."""
        self._running: dict[str, float] = {}
        self._live = Live(get_renderable=self._ticking, console=self.console, transient=True)

    def __enter__(self) -> Progress:
        """Show running tasks from here on, when there is a terminal to show them in."""
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave only what was printed."""
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take one event of the runner."""
        if isinstance(event, RunStarted):
            self.console.print(f"[bold]{event.pipeline}[/] {event.run_id}  [dim]{event.directory}[/]")
        elif isinstance(event, Notice):
            self.console.print(f"  [dim]note: {event.message}[/]")
        elif isinstance(event, TaskChanged):
            self._task_changed(event)
        else:
            self._finished(event)

    def _task_changed(self, event: TaskChanged) -> None:
        if event.kind == "started":
            self._running[event.task] = time.monotonic()
            if not self.console.is_terminal:
                self.console.print(Text(f"  ▸ {event.task}", style="dim"))
        elif event.kind in _MARKS:
            self._running.pop(event.task, None)
            self.console.print(_task_line(event))

    def _finished(self, event: RunFinished) -> None:
        self._running.clear()
        colour = "green" if event.state == "SUCCEEDED" else "red"
        self.console.print(f"[{colour}]{event.state.lower()}[/] in {event.seconds:.1f} s")

    def _ticking(self) -> RenderableType:
        now = time.monotonic()
        rows = [Spinner("dots", _running_line(name, now - since)) for name, since in self._running.items()]
        return Group(*rows)


def _running_line(name: str, seconds: float) -> Text:
    return Text(f"{name:<22} {seconds:6.1f} s", style="dim")


def _task_line(event: TaskChanged) -> Table:
    mark, colour = _MARKS[event.kind]
    line = Table.grid(padding=(0, 1))
    for width in (2, 22, 8):
        line.add_column(min_width=width, justify="right" if width == 8 else "left")
    line.add_column(ratio=1)
    seconds = f"{event.seconds:.1f} s" if event.seconds else ""
    said = event.message or ("cached" if event.kind == "cached" else "")
    if event.verdict is not None:
        said = f"{'yes' if event.verdict else 'no'} {said}".strip()
    line.add_row(Text(f" {mark}", style=colour), Text(event.task), Text(seconds), Text(said, style="dim"))
    return line

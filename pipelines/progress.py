"""The progress of a run for people: what ended stays as lines, what runs and waits is shown below them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelines import board
from pipelines.local.events import Event, LoopStarted, Notice, RunFinished, RunStarted, TaskChanged

_MARKS = {
    "succeeded": ("✓", "green"),
    "cached": ("=", "cyan"),
    "failed": ("✗", "red"),
    "skipped": ("·", "dim"),
    "cancelled": ("■", "yellow"),
}
_NAME_WIDTH = 22  # columns; our longest task has fewer


@dataclass
class Progress:
    """Prints events as they come; in a terminal running and waiting tasks are shown live.

    In a terminal the iterations of a loop are one line. Without one each is a line when it starts and ends.

    Attributes:
        console: Where to print; standard error, so that standard output stays for results.
        clock: Seconds that only grow.
    """

    console: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        """Begin with nothing running."""
        self._board = board.Board()
        self._printed: set[str] = set()
        self._live = Live(
            get_renderable=self.below, console=self.console, transient=True, refresh_per_second=8
        )

    def __enter__(self) -> Progress:
        """Show what runs and waits from here on, when there is a terminal to show it in."""
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
            self._board.start(event)
            self.console.print(f"[bold]{event.pipeline}[/] {event.run_id}  [dim]{event.directory}[/]")
        elif isinstance(event, Notice):
            self.console.print(Text(f"  note: {event.message}", style="dim"))
        elif isinstance(event, LoopStarted):
            for group in self._board.open_loop(event):
                self._group_changed(group)
        elif isinstance(event, TaskChanged):
            self._task_changed(event)
        else:
            self._finished(event)
        if self._live.is_started:
            self._live.refresh()

    def below(self) -> RenderableType:
        """Return what stands below the lines: running tasks and loops, then the names of waiting ones."""
        now = self.clock()
        rows: list[RenderableType] = [
            Spinner("dots", _running(name, now - since, "")) for name, since in self._board.running.items()
        ]
        for group in self._board.groups.values():
            if group.label not in self._printed:
                since = now if group.began is None else group.began
                rows.append(Spinner("dots", _running(group.label, now - since, group.text())))
        if waiting := self._board.waiting:
            names = Text(f"  waiting: {', '.join(waiting)}", style="dim", no_wrap=True, overflow="ellipsis")
            rows.append(names)
        return Group(*rows)

    def _task_changed(self, event: TaskChanged) -> None:
        group = self._board.change(event, self.clock())
        live = self.console.is_terminal
        if event.kind == "started":
            if event.message:
                self.console.print(Text(f"  note: {event.task}: {event.message}", style="dim"))
            if not live:
                self.console.print(Text(f"  ▸ {event.task}", style="dim"))
        elif event.kind in _MARKS and (group is None or not live or event.kind == "failed"):
            self.console.print(_line(event.kind, event.task, event.seconds, _said(event)))
        if group is not None:
            self._group_changed(group)

    def _group_changed(self, group: board.Group) -> None:
        if self.console.is_terminal and group.is_complete and group.label not in self._printed:
            self._print_group(group)

    def _print_group(self, group: board.Group) -> None:
        self._printed.add(group.label)
        ended = [kind for kind in ("failed", "cancelled", "skipped", "succeeded") if group.endings[kind]]
        kind = ended[0] if ended else "cached" if group.endings["cached"] else "skipped"
        text = group.text() if group.count or group.ended else "no items"
        self.console.print(_line(kind, group.label, group.seconds, text))

    def _finished(self, event: RunFinished) -> None:
        self._board.running.clear()
        for group in self._board.groups.values():
            if self.console.is_terminal and group.label not in self._printed:
                self._print_group(group)
        self._board.begun.update(self._board.planned)
        colour = "green" if event.state == "SUCCEEDED" else "red"
        self.console.print(f"[{colour}]{event.state.lower()}[/] in {event.seconds:.1f} s")


def _running(name: str, seconds: float, said: str) -> Text:
    return Text(f"{name:<{_NAME_WIDTH}} {seconds:6.1f} s {said}".rstrip(), style="dim")


def _said(event: TaskChanged) -> str:
    said = event.message or ("cached" if event.kind == "cached" else "")
    if event.verdict is not None:
        said = f"{'yes' if event.verdict else 'no'} {said}".strip()
    return said


def _line(kind: str, name: str, taken: float, said: str) -> Table:
    mark, colour = _MARKS[kind]
    line = Table.grid(padding=(0, 1))
    for width in (2, _NAME_WIDTH, 8):
        line.add_column(min_width=width, justify="right" if width == 8 else "left")
    line.add_column(ratio=1)
    seconds = f"{taken:.1f} s" if taken else ""
    line.add_row(Text(f" {mark}", style=colour), Text(name), Text(seconds), Text(said, style="dim"))
    return line

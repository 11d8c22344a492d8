"""Progress is told in plain lines where there is no terminal."""

import io
from pathlib import Path

from rich.console import Console

from pipelines.local.events import Notice, RunFinished, RunStarted, TaskChanged
from pipelines.progress import Progress


def told(*events) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    with Progress(console) as progress:
        for event in events:
            progress(event)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_each_step_is_a_line():
    lines = told(
        RunStarted(run_id="r1", pipeline="training", directory=Path("runs/training/r1"), tasks=("a", "b")),
        Notice(message="tolerations mean nothing here"),
        TaskChanged(task="a", kind="queued"),
        TaskChanged(task="a", kind="started"),
        TaskChanged(task="a", kind="succeeded", seconds=1.25, verdict=False),
        TaskChanged(task="b", kind="failed", seconds=0.5, message="rows are missing — a.csv", exit_code=2),
        TaskChanged(task="c", kind="skipped", message="`b` failed"),
        RunFinished(state="FAILED", seconds=2.0, error="b: rows are missing"),
    )
    assert lines == [
        "training r1 runs/training/r1",
        "note: tolerations mean nothing here",
        "▸ a",
        "✓ a 1.2 s no",
        "✗ b 0.5 s rows are missing — a.csv",
        "· c `b` failed",
        "failed in 2.0 s",
    ]


def test_brackets_in_a_message_are_text():
    [line] = told(TaskChanged(task="a", kind="failed", seconds=1, message="[red] is a column", exit_code=2))
    assert "[red] is a column" in line

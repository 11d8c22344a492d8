"""Progress is told in plain lines where there is no terminal."""

import io
from pathlib import Path

from rich.console import Console

from pipelines.local.events import LoopStarted, Notice, RunFinished, RunStarted, TaskChanged
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


class Screen:
    """A terminal of 100 columns, and a clock that the test winds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
        self.progress = Progress(self.console, clock=lambda: self.now)

    def take(self, *events) -> None:
        for event in events:
            self.progress(event)

    def lines(self) -> list[str]:
        return tidy(self.console.file.getvalue())

    def below(self) -> list[str]:
        console = Console(file=io.StringIO(), width=100)
        console.print(self.progress.below())
        return [line.lstrip("⠋ ") for line in tidy(console.file.getvalue())]


def tidy(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def started(*tasks: str) -> RunStarted:
    return RunStarted(run_id="r", pipeline="p", directory=Path("d"), tasks=tasks)


def ended(task: str, kind: str = "succeeded", **more) -> TaskChanged:
    return TaskChanged(task=task, kind=kind, **more)


def test_running_tasks_tick_and_the_others_wait_below_what_ended():
    screen = Screen()
    screen.take(started("a", "b", "c"), TaskChanged(task="a", kind="queued"))
    assert screen.below() == ["waiting: a, b, c"]
    screen.take(TaskChanged(task="a", kind="started"))
    screen.now = 2.5
    assert screen.below() == ["a 2.5 s", "waiting: b, c"]
    screen.take(ended("a", seconds=2.5), TaskChanged(task="b", kind="cached", message="from run q"))
    assert screen.below() == ["waiting: c"]
    assert screen.lines()[1:] == ["✓ a 2.5 s", "= b from run q"]


def test_iterations_of_a_loop_are_one_line_with_the_best_value_so_far():
    screen = Screen()
    screen.take(started("train", "pick"), LoopStarted(tasks=("train",), count=3))
    screen.take(TaskChanged(task="train-0", kind="started"), TaskChanged(task="train-1", kind="started"))
    assert screen.below() == ["train 0.0 s 0/3 done", "waiting: pick"]
    screen.now = 4.0
    screen.take(ended("train-1", metrics={"mse": 2.0, "seconds": 1.0}))
    screen.take(ended("train-0", metrics={"mse": 1.5, "seconds": 9.0}))
    assert screen.below()[0] == "train 4.0 s 2/3 done, best mse 1.5"
    assert len(screen.lines()) == 1  # nothing is printed before all are done
    screen.take(ended("train-2", "cached", metrics={"mse": 3.0}))
    assert screen.lines()[1:] == ["✓ train 4.0 s 3/3 done, 1 cached, best mse 1.5"]
    assert screen.below() == ["waiting: pick"]


def test_larger_areas_under_the_curve_are_better():
    screen = Screen()
    screen.take(started("train"), LoopStarted(tasks=("train",), count=3))
    screen.take(
        *(ended(f"train-{i}", metrics={"log_loss": 0.1, "auc": auc}) for i, auc in enumerate([0.6, 0.8]))
    )
    assert "best auc 0.8" in screen.below()[0]


def test_failed_iteration_is_told_at_once_and_counted():
    screen = Screen()
    screen.take(started("train"), LoopStarted(tasks=("train",), count=2))
    screen.take(ended("train-0", "failed", seconds=1.0, message="no rows"))
    assert screen.lines()[1:] == ["✗ train-0 1.0 s no rows"]
    screen.take(ended("train-1", "skipped", message="another iteration did not succeed"))
    assert screen.lines()[2:] == ["✗ train 0/2 done, 1 failed, 1 skipped"]


def test_second_task_of_a_name_is_no_iteration_of_the_first():
    screen = Screen()
    screen.take(started("nap", "nap-2"), ended("nap", seconds=1.0), LoopStarted(tasks=("nap-2",), count=2))
    screen.take(TaskChanged(task="nap-2-0", kind="started"))
    assert screen.below() == ["nap-2 0.0 s 0/2 done"]
    assert screen.lines()[1:] == ["✓ nap 1.0 s"]


def test_loop_over_nothing_is_told_as_such():
    screen = Screen()
    screen.take(started("train", "pick"), LoopStarted(tasks=("train",), count=0))
    assert screen.lines()[1:] == ["· train no items"]


def test_nested_loops_count_all_their_iterations():
    screen = Screen()
    screen.take(started("inner"))
    screen.take(LoopStarted(tasks=("inner",), count=2, within=(0,)), ended("inner-0-0"), ended("inner-0-1"))
    screen.take(LoopStarted(tasks=("inner",), count=1, within=(1,)))
    assert screen.below() == ["inner 0.0 s 2/3 done"]
    screen.take(ended("inner-1-0"), RunFinished(state="SUCCEEDED", seconds=1.0, error=None))
    assert screen.lines()[1:] == ["✓ inner 3/3 done", "succeeded in 1.0 s"]


def test_why_a_result_was_not_taken_from_the_cache_is_told():
    lines = told(TaskChanged(task="a", kind="started", message="not from the cache: /x was changed"))
    assert lines == ["note: a: not from the cache: /x was changed", "▸ a"]

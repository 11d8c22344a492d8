"""A run that is killed anywhere and gone on with gives and records what an undisturbed one does."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor

from tests.pipelines.local.faults.trials import kill_after, kill_at, survived

AT_ONCE = 2


def points(trace):
    """Choose where to kill: each kind of call that publishes, early and late, before and after it."""
    kinds = {}
    for call, when in trace:
        kind = re.sub(r" #\d+$", "", call)
        kinds.setdefault(kind, []).append([call, when])
    chosen = []
    for number, (kind, calls) in enumerate(sorted(kinds.items())):
        if kind == "mlmd put_execution":  # each is another execution's beginning or end
            chosen += calls[number % 2 :: 7]
        elif kind.endswith("run.json") and kind.startswith("replace"):
            # steps that come fast are one write, so that a run may have fewer of them
            chosen += [calls[0], calls[len(calls) // 4], calls[len(calls) // 3], calls[len(calls) // 2]]
        elif kind.startswith(("replace", "rename", "mlmd")):
            chosen.append(calls[number % 2])
    return chosen


def test_run_killed_where_it_publishes_goes_on_as_if_it_had_not_been(trials):
    chosen = points(trials.trace("clean"))
    assert len(chosen) >= 30
    assert {"tasks", "cache", "finished", "record", "metadata"} == {place(call) for call, _ in chosen}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda job: kill_at(trials, *job), enumerate(chosen)))


def test_run_killed_at_any_time_goes_on_as_if_it_had_not_been(trials):
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda seed: kill_after(trials, seed), range(20)))


def test_run_killed_again_and_again_ends_as_if_it_had_not_been(trials):
    ended, kills = trials.run("again", after=trials.seconds / 2), 0
    while ended == -signal.SIGKILL and kills < 4:
        ended, kills = trials.go_on("again", after=trials.seconds / 4), kills + 1
    assert kills
    survived(trials, "again")


def place(call):
    for part, name in (
        ("mlmd", "metadata"),
        ("/artifacts/", "tasks"),
        ("cache/", "cache"),
        ("/finished/", "finished"),
    ):
        if part in call:
            return name
    return "record"

"""What tasks wrote is shown whole, in order, and while they write it."""

# ruff: noqa: T201 - tasks speak by printing

import threading
import time
from functools import partial

import pytest
from kfp import dsl

from components.common.errors import BadInputError
from pipelines.local.history import find_run, list_runs
from pipelines.local.logs import follow_logs, read_logs
from pipelines.local.runner import run_package

door = partial(dsl.component, base_image="millrace/deployment", install_kfp_package=False)


@door
def say(text: str) -> str:
    print(f"said {text}")
    return text


@door
def count(item: int):
    print(f"number {item}")


@door
def tick(first: str, seconds: float):
    import time

    print("tick one", flush=True)
    time.sleep(seconds)
    print("tick two", flush=True)


@door
def last():
    print("the end")


@dsl.pipeline(name="talk")
def talk():
    said = say(text="a")
    with dsl.ParallelFor([1, 2]) as item:
        count(item=item).after(said)


@dsl.pipeline(name="slow")
def slow(seconds: float):
    ticking = tick(first=say(text="b").output, seconds=seconds)
    last().after(ticking)


def test_logs_of_all_tasks_stand_in_order_under_headers(run, root):
    found = find_run(root, run(talk).run_id)
    pieces = list(read_logs(found))
    assert [piece.split()[1] for piece in pieces] == list(found.tasks)
    assert pieces[0].startswith("==> say (succeeded, ")
    assert "said a\n" in pieces[0]
    numbers = {piece.split()[1]: "number 1" in piece for piece in pieces[1:]}
    assert numbers == {"count-0": True, "count-1": False}


def test_one_task_is_shown_without_a_header_and_a_loop_by_its_name(run, root):
    found = find_run(root, run(talk).run_id)
    (text,) = read_logs(found, "count-1")
    assert "number 2" in text
    assert "==>" not in text
    assert len(list(read_logs(found, "count"))) == 2


def test_cached_task_says_where_it_was_executed(run, root):
    first = run(talk)
    (text,) = read_logs(find_run(root, run(talk).run_id), "say")
    assert f"from run {first.run_id}" in text


def test_unknown_names_suggest_the_nearest(run, root):
    found = find_run(root, run(talk).run_id)
    with pytest.raises(BadInputError, match="did you mean `say`"):
        read_logs(found, "sai")
    with pytest.raises(BadInputError, match=f"did you mean `{found.run_id}`"):
        find_run(root, found.run_id[:-2])


def test_following_shows_what_is_written_meanwhile_and_ends_with_the_run(package, root):
    begun = threading.Event()
    path = package(slow)
    parameters = {"seconds": 1.5}
    work = threading.Thread(
        target=run_package,
        args=(path, parameters),
        kwargs={"root": root, "on_event": lambda _: begun.set()},
    )
    work.start()
    assert begun.wait(10)
    (record,) = list_runs(root)
    assert record["state"] == "RUNNING"  # and not KILLED
    found = find_run(root, record["run_id"])
    arrived = [(time.monotonic(), piece) for piece in follow_logs(found)]
    work.join()
    text = "".join(piece for _, piece in arrived)
    words = ("said b", "tick one", "tick two", "the end")
    assert [text.count(word) for word in words] == [1, 1, 1, 1]
    times = {word: next(at for at, piece in arrived if word in piece) for word in words}
    assert times["tick two"] - times["tick one"] > 1
    assert text.count("==> tick") == 1  # one header while it goes on alone


def test_following_one_task_ends_with_it(package, root):
    begun = threading.Event()
    path = package(slow)
    work = threading.Thread(
        target=run_package, args=(path, {"seconds": 2.0}),
        kwargs={"root": root, "on_event": lambda _: begun.set()},
    )  # fmt: skip
    work.start()
    assert begun.wait(10)
    found = find_run(root, list_runs(root)[0]["run_id"])
    text = "".join(follow_logs(found, "say"))  # it may not have begun yet
    assert "said b" in text
    assert "==>" not in text
    assert find_run(root, found.run_id).is_under_way
    work.join()

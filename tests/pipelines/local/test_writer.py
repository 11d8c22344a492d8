import threading

import pytest

from pipelines.local.writer import Writer


def test_requests_that_come_while_it_writes_are_one_and_hold_all_that_changed():
    content, written, begun, go_on = [], [], threading.Event(), threading.Event()

    def write():
        written.append(list(content))
        begun.set()
        go_on.wait(5)

    writer = Writer(write, "test")
    content.append("first")
    first = writer.request()
    begun.wait(5)
    asked = []
    for change in ("second", "third"):
        content.append(change)
        asked.append(writer.request())
    assert not first.done()
    go_on.set()
    for future in asked:
        future.result(5)
    assert written == [["first"], ["first", "second", "third"]]
    writer.close()


def test_write_that_fails_is_told_to_those_who_wait_and_the_next_one_is_tried():
    answers = [OSError("full"), None]

    def write():
        if error := answers.pop(0):
            raise error

    writer = Writer(write, "test")
    with pytest.raises(OSError, match="full"):
        writer.request().result(5)
    writer.request().result(5)
    writer.close()

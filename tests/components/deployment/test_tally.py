"""Differences of counts; expected values are worked out by hand."""

import pytest

from components.deployment.tally import Histogram, Tally, together


def histogram(*counts):
    return Histogram(bounds=(1.0, 2.0), counts=counts)


def test_a_step_is_the_difference_of_two_counts():
    before = Tally(requests=10, errors=1, seconds=histogram(5, 4, 1), predictions={"p": histogram(1, 1, 1)})
    after = Tally(requests=25, errors=1, seconds=histogram(15, 8, 2), predictions={"p": histogram(9, 1, 1)})
    added = after.since(before)
    assert (added.requests, added.errors) == (15, 0)
    assert added.seconds == histogram(10, 4, 1)
    assert added.predictions == {"p": histogram(8, 0, 0)}


def test_counts_that_began_anew_are_all_of_the_step():
    after = Tally(requests=3, errors=2, seconds=histogram(3, 0, 0))
    assert after.since(Tally(requests=10, errors=1, seconds=histogram(5, 4, 1))) == after


def test_what_was_not_counted_before_is_all_new():
    after = Tally(requests=1, predictions={"p": histogram(1, 0, 0)})
    assert after.since(Tally()) == after


def test_counts_that_do_not_belong_to_the_bounds_are_refused():
    with pytest.raises(ValueError, match="2 bounds have one count more, but got 2"):
        histogram(1, 2)


def test_counts_of_several_servers_are_added_by_name():
    one = Tally(requests=10, errors=1, seconds=histogram(5, 4, 1), predictions={"p": histogram(1, 1, 1)})
    other = Tally(requests=2, seconds=histogram(2, 0, 0), predictions={"q": histogram(0, 0, 2)})
    found = together([one, other, Tally()])
    assert (found.requests, found.errors) == (12, 1)
    assert found.seconds == histogram(7, 4, 1)
    assert found.predictions == {"p": histogram(1, 1, 1), "q": histogram(0, 0, 2)}


def test_counts_by_different_bounds_are_not_added():
    other = Histogram(bounds=(9.0,), counts=(1, 1))
    assert together([Tally(seconds=histogram(5, 4, 1)), Tally(seconds=other)]).seconds == Histogram()

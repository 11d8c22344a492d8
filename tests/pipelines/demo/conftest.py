"""A story of three months, written by hand."""

import pytest

from pipelines.demo.story import Month, Step, Story


@pytest.fixture
def step():
    def make(state="SUCCEEDED", reason=None, pipeline="screening"):
        return Step(pipeline=pipeline, run_id="r1", state=state, reason=reason)

    return make


@pytest.fixture
def story(step):
    trained = step(pipeline="training")
    refused = step("REFUSED", "late <drifted>")
    return Story(
        planned=12,
        months=[
            Month(number=1, rows=6_000, late=0.235, trained=trained, revision="aaa"),
            Month(number=2, rows=5_900, late=0.238, predicted=0.231, checked=step(), revision="aaa"),
            Month(
                number=3, rows=6_100, late=0.4, predicted=0.23, checked=refused, trained=trained,
                revision="b",
            ),
        ],
    )  # fmt: skip

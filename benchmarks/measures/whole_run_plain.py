"""What the pipeline costs on top of the script that people would write with polars and Keras."""

from __future__ import annotations

from benchmarks.record import Record, judge
from benchmarks.whole_run import conditions, our_run, plain_run


def measure() -> Record:
    """Compare wall seconds of the two commands, imports included."""
    plain = plain_run()
    return judge(
        "whole_run_plain", our_run().cost.seconds, peer=plain.cost.seconds, at="most", bound=2.5,
        conditions={"unit": "seconds, wall", **conditions("a script with polars and Keras", plain)},
    )  # fmt: skip

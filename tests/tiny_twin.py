"""The twin of the tiny model, written by hand: the same formula, step by step."""

from __future__ import annotations

import numpy as np

from components.common.artifacts import MISSING_INTEGER
from components.common.twin.program import Input, Output, Program, Step, Table

CARRIERS = np.array([b"AA", b"UA"], np.object_)
INPUTS = [
    Input(name="age", datatype="FP32", value="age"),
    Input(name="seats", datatype="INT64", value="seats"),
    Input(name="carrier", datatype="BYTES", value="carrier"),
]


def step(operation: str, inputs: str, output: str, **attributes) -> Step:
    return Step(operation=operation, inputs=inputs.split(), outputs=[output], attributes=attributes)


def tiny_program(weight: float = 1.0, broken_seats: int | None = None) -> Program:
    """As `write_tiny_model`'s graph; a broken one has a seat count that is answered by no number."""
    broken = MISSING_INTEGER if broken_seats is None else broken_seats  # of no row, since it is 0 by then
    return Program(
        inputs=INPUTS, outputs=[Output(name="probability", value="answer")],
        constants={
            "zero": np.float32(0), "none": np.int64(0), "missing": np.int64(MISSING_INTEGER),
            "tenth": np.float32(0.1), "half": np.float32(0.5), "weight": np.float32(weight),
            "broken": np.int64(broken), "nan": np.float32(np.nan),
        },
        tables={"carriers": Table(keys=CARRIERS, values=np.array([1.0, -1.0], np.float32))},
        steps=[
            step("IsNan", "age", "unknown"), step("SelectV2", "unknown zero age", "years"),
            step("Mul", "years tenth", "of_age"),
            step("Equal", "seats missing", "absent"), step("SelectV2", "absent none seats", "places"),
            step("Cast", "places", "count", DstT="float32"), step("Mul", "count half", "of_seats"),
            step("AddV2", "of_age of_seats", "both"),
            step("LookupTableFindV2", "carriers carrier zero", "of_carrier"),
            step("AddV2", "both of_carrier", "sum"), step("Equal", "places broken", "wrong"),
            step("SelectV2", "wrong nan sum", "told"), step("Mul", "weight told", "logit"),
            step("Sigmoid", "logit", "answer"),
        ],
    )  # fmt: skip

"""Single faults put into programs: what a mistake in deriving one, or a damaged file, could look like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from components.common.twin.program import Program, Step, Table

# Operations that are easily taken for one another: equal inputs, other answers.
SIBLINGS = {
    "AddV2": "Sub", "Sub": "AddV2", "Mul": "AddV2", "RealDiv": "Mul", "FloorDiv": "Sub",
    "FloorMod": "FloorDiv", "Minimum": "Maximum", "Maximum": "Minimum", "Less": "LessEqual",
    "LessEqual": "Less", "Greater": "GreaterEqual", "GreaterEqual": "Greater", "Equal": "NotEqual",
    "NotEqual": "Equal", "LogicalAnd": "LogicalOr", "LogicalOr": "LogicalAnd", "IsFinite": "IsNan",
    "Relu": "Abs", "Sigmoid": "Tanh", "Sum": "Max", "Mean": "Sum", "All": "Any", "UpperBound": "LowerBound",
    "Softmax": "Sigmoid", "Log": "Log1p", "Log1p": "Log", "Exp": "Expm1", "Expm1": "Exp", "Floor": "Ceil",
    "Ceil": "Floor", "Round": "Floor", "Rint": "Floor",
}  # fmt: skip
CAST_TO = {"float32": "int64"}  # which cuts
IN_ORDER = {"Sub", "RealDiv", "FloorDiv", "FloorMod", "Less", "LessEqual", "Greater", "GreaterEqual"}
BOUNDED = {"UpperBound", "LowerBound", "Less", "LessEqual", "Greater", "GreaterEqual"}  # by floats
LEFT_OUT = {"AddV2", "Sub", "Mul", "RealDiv", "Relu", "Minimum", "Maximum", "LogicalNot"}

Mutant = tuple[str, Program]


def list_mutants(program: Program) -> Iterator[Mutant]:
    """Yield programs with one fault each, and what it is."""
    for place, step in enumerate(program.steps):
        for told, other in mutate_step(step):
            steps = [*program.steps[:place], other, *program.steps[place + 1 :]]
            yield f"step {place}: {told}", replace(program, steps=steps)
        if step.operation in LEFT_OUT:
            yield f"step {place}: {step.operation} left out", leave_out(program, place)
    for name, values in program.constants.items():
        for told, other in mutate_values(values):
            yield (
                f"{name}{values.shape} {told}",
                replace(program, constants={**program.constants, name: other}),
            )
    for name, table in program.tables.items():
        for told, other in mutate_table(table):
            yield f"{name} {told}", replace(program, tables={**program.tables, name: other})


def list_bounds(program: Program) -> Iterator[Mutant]:
    """Yield programs of which one bound of a bucket, or a threshold, lies one float further."""
    bounded = [name for step in program.steps if step.operation in BOUNDED for name in step.inputs]
    for name in dict.fromkeys(bounded):
        values = program.constants.get(name)
        if values is None or values.dtype.kind != "f":
            continue
        for place, (told, end) in product(range(values.size), (("up", np.inf), ("down", -np.inf))):
            other = values.copy()
            other.flat[place] = np.nextafter(values.flat[place], values.dtype.type(end))
            constants = {**program.constants, name: other}
            yield f"{name}{values.shape} entry {place} {told}", replace(program, constants=constants)


def mutate_step(step: Step) -> Iterator[tuple[str, Step]]:
    """Yield the step with another operation, other inputs or another attribute."""
    if step.operation in SIBLINGS:
        other = SIBLINGS[step.operation]
        yield f"{step.operation} is {other}", replace(step, operation=other)
    if step.operation in IN_ORDER:
        yield f"{step.operation} turned", replace(step, inputs=step.inputs[::-1])
    if step.operation == "SelectV2":
        first, second, third = step.inputs
        yield "branches exchanged", replace(step, inputs=[first, third, second])
    if step.operation in ("Pack", "ConcatV2") and len(step.inputs) > 2:
        first, *rest = step.inputs
        place = next((place for place, one in enumerate(rest[:-1]) if one != first), None)
        if place is not None:
            rest[place], other = first, rest[place]
            yield f"{step.operation} exchanged", replace(step, inputs=[other, *rest])
    if step.operation == "Cast" and step.attributes["DstT"] in CAST_TO:
        other = CAST_TO[str(step.attributes["DstT"])]
        yield f"Cast to {other}", replace(step, attributes={"DstT": other})
    if step.operation == "StringToHashBucketFast":
        buckets = int(step.attributes["num_buckets"]) + 1
        yield "another bucket", replace(step, attributes={"num_buckets": buckets})


def leave_out(program: Program, place: int) -> Program:
    """Return the program whose step gives what it was given."""
    gone = program.steps[place]
    data = {*program.constants, *program.tables}
    kept = next((name for name in gone.inputs if name not in data), gone.inputs[0])
    names = {gone.outputs[0]: kept}
    steps = [
        replace(step, inputs=[names.get(name, name) for name in step.inputs])
        for step in program.steps
        if step is not gone
    ]
    outputs = [replace(one, value=names.get(one.value, one.value)) for one in program.outputs]
    return replace(program, steps=steps, outputs=outputs)


def mutate_values(values) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a constant with one entry changed: the first, the middle one, the last."""
    for place in dict.fromkeys((0, values.size // 2, values.size - 1)):
        other = values.copy()
        flat = other.reshape(-1)
        if values.dtype == np.object_:
            flat[place] = flat[place] + b"z"
        elif values.dtype.kind == "f":
            flat[place] += np.float64(0.05) * max(1.0, abs(float(flat[place])))
        elif values.dtype.kind == "b":
            flat[place] = not flat[place]
        else:
            flat[place] += 1
        yield f"entry {place} changed", other


def mutate_table(table: Table) -> Iterator[tuple[str, Table]]:
    """Yield a table with one entry missing, or with another value."""
    for place in dict.fromkeys((0, len(table.keys) // 2, len(table.keys) - 1)):
        kept = np.arange(len(table.keys)) != place
        yield f"entry {place} missing", Table(keys=table.keys[kept], values=table.values[kept])
        values = table.values.copy()
        values[place] += 1
        yield f"entry {place} has another value", Table(keys=table.keys, values=values)

"""Emitting values as a program: only what its answers need, named by its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.common.artifacts import Signature
from components.common.twin.program import Input, Output, Program, Step
from components.training.twin.values import CONSTANT, INPUT, TABLE, Value

_LETTERS = {INPUT: "x", CONSTANT: "c", TABLE: "t"}


def emit(answers: Mapping[str, Value], signature: Signature) -> Program:
    """Return the program of the answers; what it says depends on the values alone.

    Args:
        answers: Values by name of the output.
        signature: The model's; its inputs are the program's, in their order, used or not.
    """
    order = _order([answers[name] for name in sorted(answers)])
    names = _name(order)
    given = {value.data: value for value in order if value.operation == INPUT}
    spare = iter(range(len(given), len(signature.inputs)))
    return Program(
        inputs=[
            Input(
                name=entry["name"],
                datatype=entry["datatype"],
                value=names[given[entry["name"]]] if entry["name"] in given else f"x{next(spare)}",
            )
            for entry in signature.inputs
        ],
        outputs=[Output(name=name, value=names[answers[name]]) for name in sorted(answers)],
        steps=[
            Step(
                operation=value.operation,
                inputs=[names[one] for one in value.inputs],
                outputs=[names[value]],
                attributes=dict(value.attributes),
            )
            for value in order
            if value.operation not in _LETTERS
        ],
        constants={names[value]: value.data for value in order if value.operation == CONSTANT},
        tables={names[value]: value.data for value in order if value.operation == TABLE},
    )


def _order(answers: Sequence[Value]) -> list[Value]:
    """List values, each after all that it is computed from."""
    order: dict[Value, None] = {}
    waiting = [(value, False) for value in reversed(answers)]
    while waiting:
        value, ready = waiting.pop()
        if ready:
            order[value] = None
        elif value not in order:
            waiting.append((value, True))
            waiting += [(one, False) for one in reversed(value.inputs)]
    return list(order)


def _name(order: Sequence[Value]) -> dict[Value, str]:
    counts: dict[str, int] = {}
    names: dict[Value, str] = {}
    for value in order:
        letter = _LETTERS.get(value.operation, "v")
        names[value] = f"{letter}{counts.get(letter, 0)}"
        counts[letter] = counts.get(letter, 0) + 1
    return names

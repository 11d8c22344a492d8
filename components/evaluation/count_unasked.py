"""Counting the entries of a twin's tables that no row of a proof asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from components.common.twin.program import LOOKUP, Output, Program
from components.common.twin.run import CHUNK, Twin
from components.evaluation.find_edges import needed_steps

Columns = Mapping[str, NDArray[Any]]


def count_unasked(program: Program, asked: Iterable[Columns]) -> int:
    """Count the entries that none of the rows looks up.

    Directed rows ask for whatever an input is looked up among; what is only made within, such as of two
    columns joined, is asked for where a row happens to make it.

    Args:
        program: The twin's.
        asked: Encoded rows that have an answer.
    """
    lookups = [step.inputs[:2] for step in program.steps if step.operation == LOOKUP]
    if not lookups:
        return 0
    keys = [key for _, key in lookups]
    outputs = [Output(name=key, value=key) for key in keys]
    twin = Twin(replace(program, steps=needed_steps(program.steps, keys), outputs=outputs))
    unasked = {name: set(table.keys.tolist()) for name, table in program.tables.items()}
    for columns in asked:
        for start in range(0, len(next(iter(columns.values()))), CHUNK):
            part = {name: values[start : start + CHUNK] for name, values in columns.items()}
            found = twin.predict(part)
            for table, key in lookups:
                unasked[table].difference_update(found[key].ravel().tolist())
    return sum(map(len, unasked.values()))

"""Deriving the twin of an exported model."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from components.common.artifacts import Signature, read_signature
from components.common.errors import BadInputError
from components.common.twin.operations import make_operation
from components.common.twin.program import Program, write_program
from components.training.twin.emit import emit
from components.training.twin.freeze import freeze
from components.training.twin.known_rules import choose_beforehand, divide_plainly
from components.training.twin.network_rules import make_layer
from components.training.twin.shape_rules import (
    broadcast_scalars,
    drop_what_changes_nothing,
    gather_once,
    keep_all,
    read_length,
    slice_plainly,
    state_shapes,
)
from components.training.twin.table_rules import compute_in_table, compute_in_tables, look_up_what_is_apart
from components.training.twin.translate import translate
from components.training.twin.values import Maker, OutsideError
from components.training.twin.widen import widen_columns

RULES = (
    drop_what_changes_nothing,
    state_shapes,
    read_length,
    keep_all,
    slice_plainly,
    broadcast_scalars,
    choose_beforehand,
    divide_plainly,
    gather_once,
    compute_in_table,
    compute_in_tables,
    look_up_what_is_apart,
    widen_columns,
    make_layer,
)
"""In the order in which they are tried; what a rule makes is simplified by all of them."""


def write_twin(folder: Path, model: Any) -> dict[str, Any]:
    """Write `twin/` beside the SavedModel of a model's folder.

    Args:
        folder: Folder with `1/` and `signature.json`.
        model: `1/`, as `tf.saved_model.load` returned it.

    Returns:
        The entry `twin` of `model.json`: `{steps}`, or `{reason}` why there is no twin. That is never an
        error: TensorFlow serves such a model.
    """
    try:
        program = derive_program(model, read_signature(folder))
    except OutsideError as outside:
        return {"reason": str(outside)}
    except Exception as error:  # a graph that nobody thought of, so of no known kind, costs no training
        traceback.print_exc()
        return {"reason": f"not derived: {type(error).__name__}"}
    (folder / "twin").mkdir()
    write_program(folder / "twin", program)
    return {"steps": len(program.steps)}


def derive_program(model: Any, signature: Signature) -> Program:
    """Return the program of a SavedModel's `serving_default`.

    Args:
        model: What `tf.saved_model.load` returned.
        signature: Names its inputs.

    Raises:
        OutsideError: It does something that the closed list has no word for.
    """
    program = emit(translate(freeze(model, signature), Maker(RULES)), signature)
    for step in program.steps:
        try:
            make_operation(step.operation, step.attributes)
        except BadInputError as error:  # a value of an attribute that no server would compute
            raise OutsideError(str(error)) from error
    return program

"""The operations of the closed list, by TensorFlow's names, computed by NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature

import numpy as np

from components.common.errors import BadInputError
from components.common.twin import arrays, elementwise, network, tables, text
from components.common.twin.kinds import Attributes, Maker, Operation

_FILES = (arrays, elementwise, network, tables, text)
_FUNCTIONS: Mapping[str, Operation] = {
    name: function for file in _FILES for name, function in file.FUNCTIONS.items()
}
_MAKERS: Mapping[str, Maker] = {name: make for file in _FILES for name, make in file.MAKERS.items()}

IMPLEMENTED = frozenset((*_FUNCTIONS, *_MAKERS))
"""Their names; a test holds them equal to the closed list."""


def make_operation(name: str, attributes: Attributes) -> Operation:
    """Return the function that computes an operation.

    Args:
        name: TensorFlow's name of it.
        attributes: Those that the closed list names for it.

    Returns:
        A function of arrays, in the order of the step's inputs (a table as `table_lookup` makes it), that
        gives an array. It raises `OperationError` where TensorFlow raises for the values.

    Raises:
        BadInputError: The operation is not on the list, or not with these attributes.
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    if name not in _MAKERS:
        raise BadInputError(f"operation `{name}` is not on the list")
    try:
        return _MAKERS[name](attributes)
    except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise BadInputError(f"attributes of `{name}` are malformed: {error}") from error


def takes_inputs(operation: Operation, count: int) -> bool:
    """Return whether an operation that `make_operation` gave is computed of so many inputs."""
    if isinstance(operation, np.ufunc):
        return operation.nin == count
    named = signature(operation).parameters.values()
    several = any(one.kind is Parameter.VAR_POSITIONAL for one in named)
    return count > 0 if several else count == len(named)

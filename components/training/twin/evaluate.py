"""Computing one operation by TensorFlow: what is folded into a twin is computed by its reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.saved_models import import_tensorflow
from components.common.twin.program import Attribute

tf: Any = import_tensorflow()


def evaluate(
    operation: str, inputs: Sequence[NDArray[Any]], attributes: Mapping[str, Attribute]
) -> NDArray[Any] | None:
    """Compute an operation of one output; None where TensorFlow has no answer, as to an integer over 0.

    Args:
        operation: TensorFlow's name.
        inputs: Arrays in its order; strings are objects.
        attributes: Those that it cannot read from its inputs, as in a program; others have their defaults.
    """
    from tensorflow.python.eager import context, execute  # by the names of the graph, unlike `tf.raw_ops`

    tensors = [_tensor(values) for values in inputs]
    settings = _read_attributes(operation, tensors)
    for definition in own_attributes(operation):
        if definition.name in attributes:
            given = attributes[definition.name]
            is_type = definition.type == "type"
            settings[definition.name] = tf.as_dtype(given).as_datatype_enum if is_type else given
    with tf.device("CPU:0"):
        flat = [part for setting in settings.items() for part in setting]
        try:
            (computed,) = execute.execute(
                operation, num_outputs=1, inputs=tensors, attrs=tuple(flat), ctx=context.context()
            )
        except tf.errors.OpError:
            return None
    return np.asarray(computed.numpy())


def own_attributes(operation: str) -> list[Any]:
    """List the definitions of the attributes that an operation cannot read from its inputs."""
    definition = _definition(operation)
    read = {
        name
        for argument in definition.input_arg
        for name in (argument.type_attr, argument.number_attr, argument.type_list_attr)
    }
    return [attribute for attribute in definition.attr if attribute.name not in read]


def _read_attributes(operation: str, tensors: Sequence[Any]) -> dict[str, Any]:
    """Read types and counts from the inputs; one argument of several tensors takes what others leave."""
    arguments = _definition(operation).input_arg
    spare, read, place = len(tensors) - len(arguments) + 1, dict[str, Any](), 0
    for argument in arguments:
        count = spare if argument.number_attr or argument.type_list_attr else 1
        kinds = [tensor.dtype.as_datatype_enum for tensor in tensors[place : place + count]]
        place += count
        if argument.number_attr:
            read[argument.number_attr] = count
        if argument.type_list_attr:
            read[argument.type_list_attr] = kinds
        elif argument.type_attr:
            read[argument.type_attr] = kinds[0]
    return read


def _definition(operation: str) -> Any:
    from tensorflow.python.framework import op_def_registry

    return op_def_registry.get(operation)


def _tensor(values: NDArray[Any]) -> Any:
    return tf.constant(values, tf.string if values.dtype == np.object_ else values.dtype)

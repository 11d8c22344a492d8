"""An operation computed by TensorFlow's own kernel: what NumPy's computation is held against."""

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from components.common.twin.program import Table

AXIS = dict.fromkeys(("dim", "reduction_indices", "split_dim", "squeeze_dims"), "axis")
IN_PYTHON = {"Select": {"t": "x", "e": "y"}}  # operations' arguments that Python calls otherwise


def compute(operation, attributes, inputs):
    """Return the outputs as arrays; raises `tf.errors.OpError` where TensorFlow has no answer."""
    if operation == "_FusedMatMul":  # for which Python has no name
        return [_layer(*inputs).numpy()]
    definition = op_def_registry.get(operation)
    types = {attribute.name for attribute in definition.attr if attribute.type == "type"}
    given = {name: tf.as_dtype(value) if name in types else value for name, value in attributes.items()}
    tables = [_load(values) for values in inputs if isinstance(values, Table)]  # which live as long
    tensors = [_tensor(values) for values in inputs if not isinstance(values, Table)]
    given |= _named(definition.input_arg, [*(table.resource_handle for table in tables), *tensors])
    renamed = AXIS | IN_PYTHON.get(operation, {})
    given = {renamed.get(name, name): value for name, value in given.items()}
    found = getattr(tf.raw_ops, operation)(**given)
    return [_array(tensor) for tensor in (found if isinstance(found, list | tuple) else [found])]


_ANY = [tf.TensorSpec([None] * rank, tf.float32) for rank in (2, 2, 1)]


@tf.function(input_signature=_ANY)
def _layer(values, weights, bias):
    """Compute what TensorFlow makes one kernel of when it optimises a graph, as it does of a SavedModel."""
    return tf.nn.relu(tf.nn.bias_add(tf.matmul(values, weights), bias))


def _named(arguments, tensors):
    """Name the tensors as the operation's definition does; one of its arguments may be a list."""
    named, more = {}, len(tensors) - len(arguments)
    for argument in arguments:
        count = 1 + more if argument.number_attr else 1
        taken, tensors = tensors[:count], tensors[count:]
        named[argument.name] = taken if argument.number_attr else taken[0]
    return named


def _load(table):
    """Return the table as TensorFlow holds it."""
    start = tf.lookup.KeyValueTensorInitializer(_tensor(table.keys), _tensor(table.values))
    return tf.lookup.StaticHashTable(start, _tensor(table.values[:1])[0])


def _tensor(values):
    return tf.constant(values, tf.string if np.asarray(values).dtype == np.object_ else None)


def _array(tensor):
    return np.array(tensor.numpy(), np.object_ if tensor.dtype == tf.string else None)

"""Freezing the serving function: one graph without calls or variables, and the contents of its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.common.artifacts import Signature
from components.common.saved_models import import_tensorflow
from components.training.twin.rewrite import rewrite
from components.training.twin.values import Array

tf: Any = import_tensorflow()


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A serving function as one graph.

    Attributes:
        inputs: Tensors of TensorFlow by the name of the input.
        outputs: Tensors by the name of the output.
        operations: All that the outputs need, in an order in which they can be computed.
        tables: Keys and values of each table that is asked, in no order, by the tensor of its handle.
    """

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    operations: Sequence[Any]
    tables: Mapping[str, tuple[Array, Array]]


def freeze(model: Any, signature: Signature) -> Frozen:
    """Freeze and inline `serving_default` of a SavedModel.

    Args:
        model: What `tf.saved_model.load` returned; its tables live as long as it does.
        signature: Names its inputs.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    serve = model.signatures["serving_default"]
    names = [entry["name"] for entry in signature.inputs]

    def call(*columns: Any) -> Any:
        return serve(**dict(zip(names, columns, strict=True)))

    types = {"FP32": tf.float32, "INT64": tf.int64, "BYTES": tf.string}
    places = [tf.TensorSpec([None], types[entry["datatype"]]) for entry in signature.inputs]
    function = tf.function(call, input_signature=places, autograph=False).get_concrete_function()
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)
    answers = dict(zip(sorted(function.structured_outputs), frozen.outputs, strict=True))
    handles = {inside.name: outside for outside, inside in function.graph.captures}
    columns = [tensor for tensor in frozen.inputs if tensor.name not in handles]
    operations = _needed(frozen.graph, answers.values())
    return Frozen(
        inputs=dict(zip(names, columns, strict=True)),
        outputs=answers,
        operations=rewrite(operations, frozen.outputs),
        tables=_read_tables(operations, handles),
    )


def _read_tables(operations: Sequence[Any], handles: dict[str, Any]) -> dict[str, tuple[Array, Array]]:
    """Read the tables that are asked; only who asks knows the types."""
    tables: dict[str, tuple[Array, Array]] = {}
    for operation in operations:
        handle = handles.get(operation.inputs[0].name) if operation.inputs else None
        if handle is not None and operation.type == "Identity":
            handles[operation.outputs[0].name] = handle
        elif handle is not None and operation.type == "LookupTableFindV2":
            exported = tf.raw_ops.LookupTableExportV2(
                table_handle=handle,
                Tkeys=operation.get_attr("Tin"),
                Tvalues=operation.get_attr("Tout"),
            )
            entries = exported.keys.numpy(), exported.values.numpy()
            tables.update({name: entries for name, one in handles.items() if one is handle})
    return tables


def _needed(graph: Any, outputs: Any) -> list[Any]:
    waiting, needed = [tensor.op for tensor in outputs], set[str]()
    while waiting:
        operation = waiting.pop()
        if operation.name not in needed:
            needed.add(operation.name)
            waiting += [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
    return [operation for operation in graph.get_operations() if operation.name in needed]

"""Translating a frozen graph, operation by operation, into values on the closed list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from components.common.saved_models import import_tensorflow
from components.common.twin.closed_list import OPERATIONS
from components.common.twin.program import Attribute
from components.training.twin.evaluate import evaluate, own_attributes
from components.training.twin.freeze import Frozen
from components.training.twin.infer_shapes import infer_shape
from components.training.twin.values import Array, Maker, OutsideError, Shape, Value

tf: Any = import_tensorflow()

_DTYPES = ("bool", "uint8", "int32", "int64", "float32", "float64", "string")
_ALIASES = ("Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot", "EnsureShape")
_NO_VALUE = ("NoOp", "Placeholder")
_SHAPES = ("int32", "int64")
_WITHOUT_SAY = ("grad_a", "grad_b", "incompatible_shape_error", "Tshape", "validate_indices")


def translate(frozen: Frozen, maker: Maker) -> dict[str, Value]:
    """Return the values of the outputs, by name.

    Raises:
        OutsideError: An operation, one of its attributes or a type is outside the closed list.
    """
    found = {tensor.name: maker.input(name, _dtype(tensor.dtype)) for name, tensor in frozen.inputs.items()}
    for operation in frozen.operations:
        if operation.type in _NO_VALUE:
            continue
        if not operation.outputs:  # it only acts, as an assertion does
            raise OutsideError(f"operation `{operation.type}` is not on the list")
        if operation.outputs[0].dtype != tf.resource:
            values = _Translation(operation, found, frozen.tables, maker).values()
            found.update({tensor.name: one for tensor, one in zip(operation.outputs, values, strict=True)})
    return {name: found[tensor.name] for name, tensor in frozen.outputs.items()}


class _Translation:
    """One operation."""

    def __init__(
        self,
        operation: Any,
        found: Mapping[str, Value],
        tables: Mapping[str, tuple[Array, Array]],
        maker: Maker,
    ) -> None:
        self.operation, self.maker = operation, maker
        self.type: str = operation.type
        self.table = tables.get(operation.inputs[0].name) if operation.inputs else None
        self.inputs = [found[tensor.name] for tensor in operation.inputs if tensor.dtype != tf.resource]

    def values(self) -> Sequence[Value]:
        """Return the values of its outputs."""
        if self.type == "Const":
            return [self.maker.constant(tf.make_ndarray(self.operation.get_attr("value")))]
        if self.type in _ALIASES:
            return self.inputs
        if self.table is not None:
            return [self._ask(self.table)]
        if self.type in _SEVERAL:
            return _SEVERAL[self.type](self)
        if (known := self._known()) is not None:
            return [self.maker.constant(known)]
        if self.type == "BiasAdd":
            self._align_bias()
            return [self._make("AddV2")]
        return [self._make(self.type, **self._attributes())]

    def _make(self, operation: str, **attributes: Attribute) -> Value:
        output = self.operation.outputs[0]
        shape = _shape(output)
        if shape is None:
            shape = infer_shape(operation, self.inputs, attributes)
        return self.maker.make(
            operation, self.inputs, dtype=_dtype(output.dtype), shape=shape, **attributes
        )

    def _align_bias(self) -> None:
        """Give a bias that belongs to the second axis, not to the last, the axes behind it."""
        values, bias = self.inputs
        if self.operation.get_attr("data_format") == b"NHWC" or values.shape is None:
            return
        if not bias.is_constant:
            raise OutsideError("operation `BiasAdd` of a bias that is computed")
        behind = (1,) * (len(values.shape) - 2)
        self.inputs = [values, self.maker.constant(bias.data.reshape(-1, *behind))]

    def _ask(self, table: tuple[Array, Array]) -> Value:
        if self.type == "LookupTableSizeV2":
            return self.maker.constant(np.array(len(table[0]), np.int64))
        self.inputs = [self.maker.table(*table), *self.inputs]
        return self._make(self.type, **self._attributes())

    def _known(self) -> Array | None:
        """Return what the operation gives for every row, when that is known."""
        output = self.operation.outputs[0]
        may_be_shape = output.dtype.name in _SHAPES and output.shape.rank in (0, 1)
        if may_be_shape and (known := tf.get_static_value(output)) is not None:
            return known
        if self.operation.op_def.is_stateful or not all(one.is_constant for one in self.inputs):
            return None
        return evaluate(self.type, [one.data for one in self.inputs], dict(self._settings()))

    def _attributes(self) -> dict[str, Attribute]:
        """Return the attributes that a step carries; refuses others that have not their default."""
        if self.type not in OPERATIONS:
            raise OutsideError(f"operation `{self.type}` is not on the list")
        if self.type == "Cast" and self.inputs[0].dtype.startswith("float") and self._is_bytes():
            raise OutsideError("operation `Cast` of floats to uint8 is not on the list")
        carried = OPERATIONS[self.type]
        for definition in own_attributes(self.type):
            if definition.name in (*carried, *_WITHOUT_SAY):
                continue
            if self.operation.node_def.attr[definition.name] != definition.default_value:
                raise OutsideError(f"operation `{self.type}` with another `{definition.name}`")
        return {name: value for name, value in self._settings() if name in carried}

    def _is_bytes(self) -> bool:
        return self.operation.outputs[0].dtype == tf.uint8

    def _settings(self) -> Iterator[tuple[str, Attribute]]:
        for definition in own_attributes(self.type):
            yield definition.name, _plain(self.operation.get_attr(definition.name))

    def unpack(self) -> list[Value]:
        """Return the values of `Unpack`: one position of an axis each."""
        (value,) = self.inputs
        axis = self.maker.constant(np.array(self.operation.get_attr("axis"), np.int32))
        return [
            self._part("GatherV2", output, [value, self._integer(place), axis], batch_dims=0)
            for place, output in enumerate(self.operation.outputs)
        ]

    def split(self) -> list[Value]:
        """Return the values of `Split`, whose axis is its first input."""
        axis, value = self.inputs
        return self._slices(value, axis)

    def split_by_sizes(self) -> list[Value]:
        """Return the values of `SplitV`, whose axis is its last input."""
        return self._slices(self.inputs[0], self.inputs[2])

    def _slices(self, value: Value, axis: Value) -> list[Value]:
        rank = len(value.shape or ())
        place = int(axis.data) % rank if axis.is_constant and rank else 0
        parts, start = list[Value](), 0
        for output in self.operation.outputs:
            size = output.shape[place] if output.shape.rank else None
            if size is None:
                raise OutsideError(f"operation `{self.type}` along an axis of unknown length")
            begin, sizes = np.zeros(rank, np.int32), np.full(rank, -1, np.int32)
            begin[place], sizes[place] = start, size
            bounds = [self.maker.constant(begin), self.maker.constant(sizes)]
            parts.append(self._part("Slice", output, [value, *bounds]))
            start += size
        return parts

    def _part(self, operation: str, output: Any, inputs: list[Value], **attributes: Attribute) -> Value:
        return self.maker.make(
            operation, inputs, dtype=_dtype(output.dtype), shape=_shape(output), **attributes
        )

    def _integer(self, value: int) -> Value:
        return self.maker.constant(np.array(value, np.int32))


_SEVERAL: Mapping[str, Callable[[_Translation], list[Value]]] = {
    "Unpack": _Translation.unpack,
    "Split": _Translation.split,
    "SplitV": _Translation.split_by_sizes,
}


def _dtype(kind: Any) -> str:
    if kind.name not in _DTYPES:
        raise OutsideError(f"values of type {kind.name} are not on the list")
    return kind.name


def _shape(tensor: Any) -> Shape | None:
    return None if tensor.shape.rank is None else tuple(tensor.shape.as_list())


def _plain(value: Any) -> Attribute:
    if isinstance(value, tf.DType):
        return value.name
    return value.decode() if isinstance(value, bytes) else value

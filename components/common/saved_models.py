"""SavedModels: asking one for answers, and making its bytes repeat. Needs TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.errors import BadInputError

Values = NDArray[Any]


class Serve:
    """The function `serving_default` of a SavedModel.

    Attributes:
        model: What TensorFlow loaded, which owns the tables that the function looks up.
    """

    def __init__(self, model: Any, function: Any) -> None:
        """Keep a loaded model, and its function as the signature has it."""
        self.model = model
        self._function = function
        self._calls: dict[tuple[str, ...], Any] = {}

    def __call__(self, columns: Mapping[str, Values]) -> dict[str, Values]:
        """Answer rows.

        Args:
            columns: One array `[rows]` per input, by the names of the signature and as `encode_columns`
                makes them.

        Returns:
            One array `[rows]` or `[rows, classes]` per output.
        """
        tf = import_tensorflow()
        names = tuple(columns)
        given = [tf.constant(values, _type(tf, values)) for values in columns.values()]
        if names not in self._calls:
            self._calls[names] = _inline(tf, self._function, names, given)
        return {name: tensor.numpy() for name, tensor in self._calls[names](*given).items()}


def import_tensorflow() -> Any:
    """Import TensorFlow without Keras, which takes nearly half of the time and is not needed to answer.

    TensorFlow imports Keras at its end, where it is installed, for optimizers that a SavedModel may hold.
    Where either is imported already, nothing is different. Keras may be imported later.
    """
    absent: Any = None  # by which Python's import system knows a module that is not to be had
    if wanted := sys.modules.keys().isdisjoint(("keras", "tensorflow")):
        sys.modules["keras"] = absent
    try:
        import tensorflow
    finally:
        if wanted:
            del sys.modules["keras"]
    return tensorflow


def load_serving(folder: Path) -> Serve:
    """Load the function `serving_default` of a SavedModel.

    Args:
        folder: Folder with `saved_model.pb`.

    Raises:
        BadInputError: It is no SavedModel, or it has no signature `serving_default`.
    """
    tf = import_tensorflow()
    try:
        model: Any = tf.saved_model.load(str(folder))
        function = model.signatures["serving_default"]
    except (OSError, ValueError, KeyError, AttributeError, tf.errors.OpError) as error:
        what = f"not a SavedModel that serves: {error}"
        raise BadInputError(what, where=folder, fix="train the model again") from error

    return Serve(model, function)


def failure_reason(error: Exception) -> str:
    """Return TensorFlow's own words on why a model fails, without places in its graph."""
    return str(error).split("\n\t [[")[0].strip().rsplit("\n", 1)[-1][:200]


def _inline(tf: Any, function: Any, names: Sequence[str], given: Sequence[Any]) -> Any:
    """Trace a signature once more: its layers of calls are inlined, which answers several times as fast."""

    def call(*tensors: Any) -> Any:
        return function(**dict(zip(names, tensors, strict=True)))

    places = [tf.TensorSpec([None], tensor.dtype) for tensor in given]
    return tf.function(call, input_signature=places, autograph=False).get_concrete_function()


def _type(tf: Any, values: Values) -> Any:
    return tf.string if values.dtype == np.object_ else None


def order_nodes(folder: Path) -> None:
    """Sort the nodes of every function of a SavedModel by name, in place.

    TensorFlow prunes functions through sets, so their order depends on the process's hash seed; it has
    no meaning.

    Args:
        folder: Folder with `saved_model.pb`.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for meta_graph in model.meta_graphs:
        for function in meta_graph.graph_def.library.function:
            nodes = sorted(function.node_def, key=lambda node: node.name)
            del function.node_def[:]
            function.node_def.extend(nodes)
    file.write_bytes(model.SerializeToString(deterministic=True))


def rename_tables(folder: Path, old: str, new: str) -> None:
    """Replace a part of the names under which tables are shared, in place; names have no other meaning.

    Args:
        folder: Folder with `saved_model.pb`.
        old: The part, such as a temporary path.
        new: What shall stand there.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for meta_graph in model.meta_graphs:
        functions = meta_graph.graph_def.library.function
        for node in (*meta_graph.graph_def.node, *(one for each in functions for one in each.node_def)):
            if "shared_name" in node.attr:
                name = node.attr["shared_name"].s
                node.attr["shared_name"].s = name.replace(old.encode(), new.encode())
    file.write_bytes(model.SerializeToString(deterministic=True))

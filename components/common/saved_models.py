"""SavedModels: asking one for answers, and making its bytes repeat. Needs TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.errors import BadInputError

Values = NDArray[Any]
Serve = Callable[[Mapping[str, Values]], dict[str, Values]]


def load_serving(folder: Path) -> Serve:
    """Load the function `serving_default` of a SavedModel.

    Args:
        folder: Folder with `saved_model.pb`.

    Returns:
        A function of one array `[rows]` per input, by the names of the signature and as `encode_columns`
        makes them; it gives one array `[rows]` or `[rows, classes]` per output.

    Raises:
        BadInputError: It is no SavedModel, or it has no signature `serving_default`.
    """
    import tensorflow as tf

    try:
        model: Any = tf.saved_model.load(str(folder))
        function = model.signatures["serving_default"]
    except (OSError, ValueError, KeyError, AttributeError, tf.errors.OpError) as error:
        what = f"not a SavedModel that serves: {error}"
        raise BadInputError(what, where=folder, fix="train the model again") from error

    def serve(columns: Mapping[str, Values]) -> dict[str, Values]:
        given = {name: tf.constant(values, _type(tf, values)) for name, values in columns.items()}
        return {name: tensor.numpy() for name, tensor in function(**given).items()}

    serve.model = model  # type: ignore[attr-defined]  # it owns the tables that the function looks up
    return serve


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

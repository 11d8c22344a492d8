"""Giving the inputs of a SavedModel the names of the columns, whatever these are.

TensorFlow exports only inputs whose names are names of operations too (no space, no umlaut, no two that
differ in case alone), but calls them by any name that the file says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def plain_name(position: int) -> str:
    """Return the name under which the input at a position is exported."""
    return f"input_{position:03d}"


def name_inputs(folder: Path, names: Sequence[str]) -> None:
    """Rename the inputs of `serving_default` from `plain_name` to the given names, in place.

    Args:
        folder: Folder with `saved_model.pb`.
        names: Names by position.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    renamed = {plain_name(position): name for position, name in enumerate(names)}
    for meta_graph in model.meta_graphs:
        inputs = meta_graph.signature_def["serving_default"].inputs
        described = {renamed[name]: inputs[name] for name in list(inputs)}
        copies = {name: type(one).FromString(one.SerializeToString()) for name, one in described.items()}
        inputs.clear()
        for name, one in copies.items():
            inputs[name].CopyFrom(one)
        for node in meta_graph.object_graph_def.nodes:
            if node.WhichOneof("kind") != "bare_concrete_function":
                continue  # touching the field would turn the node into one
            keywords = node.bare_concrete_function.argument_keywords
            keywords[:] = [renamed.get(keyword, keyword) for keyword in keywords]
    file.write_bytes(model.SerializeToString(deterministic=True))

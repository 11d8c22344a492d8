"""Making the bytes of a SavedModel repeat. Needs TensorFlow, and so the image `modelling`."""

from __future__ import annotations

from pathlib import Path


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

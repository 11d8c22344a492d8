"""Exporting: transform and network in one SavedModel that takes raw features by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft  # after tensorflow: before it, it would turn tf.keras into Keras 2

from components.common.artifacts import Kind, Signature, Task, TransformSummary, write_signature
from components.common.encoding import DATATYPES, encode_columns
from components.common.saved_models import order_nodes
from components.training.fit import Fitted, Scale, answer_rows
from components.training.name_inputs import name_inputs, plain_name
from components.training.read_arrays import lay_out, pack
from components.training.warm_start import TRACKED

OUTPUTS: dict[Task, str] = {
    "binary": "probability",
    "multiclass": "probabilities",
    "regression": "prediction",
}


class ServedModel(tf.Module):
    """The transform and the network, tracked together: a table that is not tracked is empty when served."""

    def __init__(self, transform: Any, model: Any, summary: TransformSummary, scale: Scale) -> None:
        """Keep the parts."""
        super().__init__()
        self.transform = transform
        self.model = model
        setattr(self, TRACKED, list(model.weights))  # a later warm start reads them by this name
        self._inputs = list(summary.inputs)
        self._layout, self._task, self._scale = lay_out(summary), summary.task, scale

    def serve(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Answer raw rows: one tensor `[rows]` per input by its plain name, missing values as markers."""
        features = self.transform({name: raw[plain_name(place)] for place, name in enumerate(self._inputs)})
        answer = self.model(self._pack(features), training=False)
        if self._task == "multiclass":
            return {"probabilities": tf.nn.softmax(answer)}
        if self._task == "binary":
            return {"probability": tf.sigmoid(answer)[:, 0]}
        return {"prediction": answer[:, 0] * self._scale.deviation + self._scale.mean}

    def _pack(self, features: Mapping[str, Any]) -> dict[str, Any]:
        layout, inputs = self._layout, dict[str, Any]()
        if layout.numbers:
            inputs["numbers"] = tf.stack([features[name] for name in layout.numbers], axis=1)
        if layout.indices:
            stacked = tf.stack([features[name] for name in layout.indices], axis=1)
            inputs["indices"] = tf.cast(stacked, tf.int32)
        return inputs


def export_model(
    fitted: Fitted, summary: TransformSummary, transform_graph: Path, *, target: Path
) -> None:  # fmt: skip
    """Write a SavedModel with the signature `serving_default`.

    Args:
        fitted: The trained network.
        summary: Of the transform that it was trained on.
        transform_graph: That transform.
        target: Folder to write.
    """
    served = ServedModel(load_transform(transform_graph), fitted.model, summary, fitted.scale)
    types = {"FP32": tf.float32, "INT64": tf.int64, "BYTES": tf.string}
    specification = {
        plain_name(place): tf.TensorSpec([None], types[DATATYPES[kind]], name=plain_name(place))
        for place, kind in enumerate(summary.inputs.values())
    }
    serve = tf.function(served.serve, input_signature=[specification])
    tf.saved_model.save(served, str(target), signatures={"serving_default": serve})
    name_inputs(target, list(summary.inputs))
    order_nodes(target)


def load_transform(transform_graph: Path) -> Any:
    """Load the transform as a layer that takes raw tensors by name."""
    return tft.TFTransformOutput(str(transform_graph)).transform_features_layer()


def answer_raw_rows(
    fitted: Fitted,
    summary: TransformSummary,
    transform_graph: Path,
    rows: Mapping[str, Any],
    signature: Signature,
) -> Any:
    """Answer raw rows with the parts as they were trained: what the export must agree with."""
    encoded = encode_columns(rows, signature)
    with tf.device("CPU:0"):  # where the export is checked, and served
        features = load_transform(transform_graph)(
            {name: tf.constant(raw) for name, raw in encoded.items()}
        )
        inputs = pack({name: tensor.numpy() for name, tensor in features.items()}, lay_out(summary))
        return answer_rows(fitted.model, inputs, summary.task, fitted.scale)


def describe_signature(
    summary: TransformSummary, optional: Mapping[str, bool], values: Mapping[str, list[Any]]
) -> Signature:
    """Describe inputs and outputs.

    Args:
        summary: Of the transform.
        optional: Whether each input may be missing.
        values: Typical values of each input; the first one becomes its example.
    """

    def entry(name: str, kind: Kind) -> dict[str, Any]:
        return {
            "name": name, "kind": kind, "datatype": DATATYPES[kind], "optional": optional[name],
            "example": values[name][0],
        }  # fmt: skip

    shape = [-1, len(summary.classes)] if summary.task == "multiclass" else [-1]
    output: dict[str, Any] = {"name": OUTPUTS[summary.task], "datatype": "FP32", "shape": shape}
    if summary.classes:
        output["classes"] = summary.classes
    return Signature(inputs=[entry(*item) for item in summary.inputs.items()], outputs=[output])


def export_folder(
    fitted: Fitted, summary: TransformSummary, transform_graph: Path, signature: Signature, *, folder: Path
) -> None:
    """Write `1/` and `signature.json` into a model's folder."""
    export_model(fitted, summary, transform_graph, target=folder / "1")
    write_signature(folder, signature)

"""Models of one input made of a function, with their twins."""

import numpy as np
import tensorflow as tf

from components.common.artifacts import Signature
from components.common.saved_models import load_serving
from components.evaluation.predict import LoadedModel
from components.training.twin.derive import derive_program

KINDS = {tf.float32: "float", tf.int64: "integer", tf.string: "string"}


def answering(function, kind, datatype, tmp_path):
    """Return a model of one input made of a function, and its program."""
    module = tf.Module()
    module.serve = tf.function(
        lambda x: {"prediction": function(x)}, input_signature=[tf.TensorSpec([None], kind, "x")]
    )
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.serve})
    entry = {"name": "x", "kind": KINDS[kind], "datatype": datatype}
    signature = Signature(
        inputs=[{**entry, "optional": True}],
        outputs=[{"name": "prediction", "datatype": "FP32", "shape": [-1]}],
    )
    serve = load_serving(tmp_path / "1")
    record = type("Record", (), {"task": "regression", "classes": []})()
    model = LoadedModel(folder=tmp_path, signature=signature, record=record, serve=serve)
    return model, derive_program(serve.model, signature)


def texts(*values):
    found = np.empty(len(values), object)
    found[:] = values
    return {"x": found}

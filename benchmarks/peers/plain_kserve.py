# ruff: noqa: E402 - the clock starts before the imports, which are part of a server's start
"""The peer of serving: kserve's model server around a SavedModel as its documentation shows it.

`python -m benchmarks.peers.plain_kserve SAVED_MODEL PORT`.
"""

from __future__ import annotations

import sys
import time
from typing import Any

STARTED = time.perf_counter()

import numpy as np
import tensorflow as tf
from kserve import InferOutput, InferResponse, Model, ModelServer


class PlainModel(Model):
    """Takes tensors as they come and calls `serving_default`."""

    def __init__(self, name: str, folder: str) -> None:
        """Load the SavedModel."""
        super().__init__(name)
        self.loaded: Any = tf.saved_model.load(folder)
        self.function: Any = self.loaded.signatures["serving_default"]
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        """Answer a request of the Open Inference Protocol v2."""
        types = {"FP32": np.float32, "INT64": np.int64, "BYTES": np.object_}
        given = {
            each.name: tf.constant(np.array(each.data, types[each.datatype])) for each in payload.inputs
        }
        outputs: list[InferOutput] = []
        for name, tensor in self.function(**given).items():
            values = tensor.numpy()
            found = InferOutput(name, list(values.shape), "FP32")
            found.set_data_from_numpy(values, binary_data=False)
            outputs.append(found)
        return InferResponse(payload.id or "1", self.name, outputs)


if __name__ == "__main__":
    model = PlainModel("plain", sys.argv[1])
    print(time.perf_counter() - STARTED, flush=True)
    ModelServer(http_port=int(sys.argv[2]), enable_grpc=False).start([model])

"""What a process that only answers imports: TensorFlow, and little else."""

import os
import subprocess
import sys

PROGRAM = """
import sys
import components.serving.grpc_service, components.serving.run, components.serving.tensorflow_engine
assert "tensorflow" in sys.modules
print(sorted({"keras", "kserve", "pandas", "sklearn", "tensorflow_transform"} & sys.modules.keys()))
import keras
layer = keras.layers.Dense(1, kernel_initializer="ones")
print(float(layer(keras.ops.ones((1, 3)))[0, 0]))
from components.common.saved_models import import_tensorflow
assert sys.modules["keras"] is keras and import_tensorflow() is sys.modules["tensorflow"]
"""


def test_a_server_imports_tensorflow_alone_and_keras_may_come_later():
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert ended.stdout.splitlines() == ["[]", "3.0"], ended.stderr

"""TensorFlow and TensorFlow Transform, imported in the order they need, and silent about values."""

from __future__ import annotations

import importlib
import os
from typing import Any

# Read when TensorFlow is imported: its warnings would show values that an operation could not take.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

tf: Any = importlib.import_module("tensorflow")  # before TFT, which would turn tf.keras into Keras 2
tft: Any = importlib.import_module("tensorflow_transform")

# Not public; tests hold what is made with them to what TFT itself makes.
graph_context: Any = importlib.import_module("tensorflow_transform.graph_context")
impl_helper: Any = importlib.import_module("tensorflow_transform.impl_helper")
tf2_utils: Any = importlib.import_module("tensorflow_transform.tf2_utils")

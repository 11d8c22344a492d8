"""A function of TensorFlow, and the program that is derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.common.artifacts import Signature
from components.common.twin.program import Program
from components.common.twin.run import Twin
from components.training.twin.derive import derive_program

DATATYPES = {tf.float32: "FP32", tf.int64: "INT64", tf.string: "BYTES"}


@dataclass(frozen=True)
class Derived:
    """A program beside what it was derived from."""

    program: Program
    serve: Any

    @property
    def operations(self) -> list[str]:
        return [step.operation for step in self.program.steps]

    def assert_equal(self, **columns):
        """Ask both for all rows, for one and for none; TensorFlow's answers are the expected ones."""
        arrays = {
            name: np.array(values, object if isinstance(values[0], bytes) else None)
            for name, values in columns.items()
        }
        for rows in (slice(None), slice(0, 1), slice(0, 0)):
            given = {name: values[rows] for name, values in arrays.items()}
            typed = {
                one.name: given[one.name].astype({"FP32": "f4", "INT64": "i8", "BYTES": "O"}[one.datatype])
                for one in self.program.inputs
            }
            kinds = {name: tf.string if one.dtype == object else None for name, one in typed.items()}
            wanted = self.serve(**{name: tf.constant(one, kinds[name]) for name, one in typed.items()})
            found = Twin(self.program).predict(typed)
            assert set(found) == set(wanted)
            for name, tensor in wanted.items():
                assert found[name].shape == tensor.shape
                np.testing.assert_allclose(found[name], tensor.numpy(), rtol=1e-6, atol=1e-7)


@pytest.fixture
def derive():
    """Return a function from a function of named columns to what is derived from it."""

    def of(function, **types) -> Derived:
        places = [tf.TensorSpec([None], kind, name) for name, kind in types.items()]

        def serve(*columns):
            answer = function(**dict(zip(types, columns, strict=True)))
            return answer if isinstance(answer, dict) else {"y": answer}

        traced = tf.function(serve, input_signature=places)

        def call(**columns):
            return traced(*(columns[name] for name in types))

        loaded = SimpleNamespace(signatures={"serving_default": call})
        inputs = [{"name": name, "datatype": DATATYPES[kind]} for name, kind in types.items()]
        return Derived(derive_program(loaded, Signature(inputs=inputs, outputs=[])), call)

    return of

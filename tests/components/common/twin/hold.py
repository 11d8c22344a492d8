"""Holds NumPy's computation of an operation against TensorFlow's."""

import numpy as np
import pytest
import tensorflow as tf

from components.common.twin.kinds import OperationError
from components.common.twin.operations import make_operation
from components.common.twin.program import Table
from components.common.twin.tables import table_lookup
from tests.components.common.twin.reference import compute

RELATIVE = {"float32": 3e-6, "float64": 1e-12}
TINY = {name: float(np.finfo(name).tiny) for name in RELATIVE}  # below it TensorFlow has 0


def hold(operation, attributes, inputs, *, absolute=0.0):
    """Assert equal outputs, types and shapes; or that both refuse."""
    ours = make_operation(operation, attributes)
    given = [table_lookup(one) if isinstance(one, Table) else one for one in inputs]
    try:
        wanted = compute(operation, attributes, inputs)
    except (tf.errors.OpError, UnicodeDecodeError):  # of a message that tells a string
        with pytest.raises(OperationError):
            ours(*given)
        return
    with np.errstate(all="ignore"):
        found = ours(*given)
    (want,) = wanted
    assert_same(np.asarray(found), np.asarray(want), absolute)


def assert_same(got, want, absolute=0.0):
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    if want.dtype.kind == "f":
        tolerance = max(absolute, TINY[want.dtype.name])
        np.testing.assert_allclose(got, want, rtol=RELATIVE[want.dtype.name], atol=tolerance)
    else:
        assert got.tolist() == want.tolist()

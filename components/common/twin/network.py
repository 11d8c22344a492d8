"""Operations of networks: products of matrices, and activations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.common.errors import BadInputError
from components.common.twin.kinds import Attributes, Maker, Operation, Values

# Of F. Klambauer et al., Self-Normalizing Neural Networks, 2017.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _relu(values: Values) -> Values:
    return np.maximum(values, 0)


def _relu6(values: Values) -> Values:
    return np.minimum(np.maximum(values, 0), 6)


def _elu(values: Values) -> Values:
    return np.where(values < 0, _power_less_1(values), values)


def _selu(values: Values) -> Values:
    return _SELU_SCALE * np.where(values < 0, _SELU_ALPHA * _power_less_1(values), values)


def _power_less_1(values: Values) -> Values:
    """Return exp(x) − 1 as TensorFlow has it, whose power is rounded to its type before 1 is taken off.

    NumPy's own power of FP32 is not always rounded to the nearest, and near 0 that is what is left.
    """
    return np.exp(values.astype(np.float64)).astype(values.dtype) - 1


def _sigmoid(values: Values) -> Values:
    return 1 / (1 + np.exp(-values))


def _softplus(values: Values) -> Values:
    return np.logaddexp(values.dtype.type(0), values)


def _softsign(values: Values) -> Values:
    return values / (1 + np.absolute(values))


def _softmax(logits: Values) -> Values:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def _log_softmax(logits: Values) -> Values:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _leaky_relu(attributes: Attributes) -> Operation:
    slope = float(attributes["alpha"])

    def leaky_relu(values: Values) -> Values:
        return np.where(values > 0, values, values * slope)

    return leaky_relu


def _mat_mul(attributes: Attributes) -> Operation:
    return _product(bool(attributes["transpose_a"]), bool(attributes["transpose_b"]))


def _fused_mat_mul(attributes: Attributes) -> Operation:
    """Return a layer, as TensorFlow computes it when it makes one kernel of it: a NaN becomes 0."""
    if attributes["fused_ops"] != ["BiasAdd", "Relu"]:
        what = "`_FusedMatMul` of a form that is not on the list"
        raise BadInputError(what, value=attributes["fused_ops"])

    def layer(values: Values, weights: Values, bias: Values) -> Values:
        found = np.matmul(values, weights)
        found += bias
        return np.fmax(found, 0, out=found)

    return layer


def _batch_mat_mul(attributes: Attributes) -> Operation:
    return _product(bool(attributes["adj_x"]), bool(attributes["adj_y"]))


def _product(turn_left: bool, turn_right: bool) -> Operation:
    if not turn_left and not turn_right:
        return np.matmul

    def multiply(left: Values, right: Values) -> Values:
        return np.matmul(
            left.swapaxes(-1, -2) if turn_left else left, right.swapaxes(-1, -2) if turn_right else right
        )

    return multiply


def _einsum(attributes: Attributes) -> Operation:
    """Return the sum of products of two arrays as one product of matrices, for which NumPy has BLAS."""
    equation = str(attributes["equation"])
    inputs, _, output = equation.replace(" ", "").partition("->")
    left, _, right = inputs.partition(",")
    labels = (left, right, output)
    if any(len(set(part)) < len(part) or not part.isalpha() for part in labels):
        raise BadInputError("`Einsum` of a form that is not on the list", value=equation)
    both = [label for label in left if label in right and label in output]
    summed = [label for label in left if label in right and label not in output]
    rows = [label for label in left if label not in right]
    columns = [label for label in right if label not in left]
    if set(output) != {*both, *rows, *columns}:
        raise BadInputError("`Einsum` of a form that is not on the list", value=equation)
    turn_left = [left.index(label) for label in (*both, *rows, *summed)]
    turn_right = [right.index(label) for label in (*both, *summed, *columns)]
    turn_output = [[*both, *rows, *columns].index(label) for label in output]

    def multiply(one: Values, other: Values) -> Values:
        one, other = one.transpose(turn_left), other.transpose(turn_right)
        shared, ends = one.shape[: len(both)], len(other.shape) - len(columns)
        free = one.shape[len(both) : len(both) + len(rows)]
        size = int(np.prod(other.shape[len(both) : ends]))
        product = np.matmul(
            one.reshape(*shared, int(np.prod(free)), size),
            other.reshape(*shared, size, int(np.prod(other.shape[ends:]))),
        )
        return product.reshape(*shared, *free, *other.shape[ends:]).transpose(turn_output)

    return multiply


FUNCTIONS: Mapping[str, Operation] = {
    "Relu": _relu, "Relu6": _relu6, "Elu": _elu, "Selu": _selu, "Sigmoid": _sigmoid, "Tanh": np.tanh,
    "Softplus": _softplus, "Softsign": _softsign, "Softmax": _softmax, "LogSoftmax": _log_softmax,
}  # fmt: skip

MAKERS: Mapping[str, Maker] = {
    "BatchMatMulV2": _batch_mat_mul, "Einsum": _einsum, "LeakyRelu": _leaky_relu, "MatMul": _mat_mul,
    "_FusedMatMul": _fused_mat_mul,
}  # fmt: skip

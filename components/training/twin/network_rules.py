"""Rules about networks."""

from __future__ import annotations

from components.training.twin.values import Maker, Value


def make_layer(maker: Maker, value: Value) -> Value | None:
    """A `Relu` of a product of matrices and a bias: the one operation that TensorFlow itself makes of them.

    It is more than faster: to a number that is none, the one kernel gives another answer than the three.
    """
    if value.operation != "Relu" or value.inputs[0].operation != "AddV2":
        return None
    product, bias = value.inputs[0].inputs
    turned = product.attributes.get("transpose_a") or product.attributes.get("transpose_b")
    if product.operation != "MatMul" or turned or not bias.is_constant or len(bias.shape or ()) != 1:
        return None
    inputs = [*product.inputs, bias]
    fused = ["BiasAdd", "Relu"]
    return maker.make("_FusedMatMul", inputs, dtype=value.dtype, shape=value.shape, fused_ops=fused)

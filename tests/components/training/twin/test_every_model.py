"""Every kind of feature, every form of network and every task has a twin, and each twin is proven."""

import pytest

MODELS = [
    ("binary", {"form": "mlp", "members": 1}),
    ("binary", {"form": "mlp", "members": 3, "bins": 4, "dropout": 0.2}),
    ("regression", {"form": "linear", "bins": 4}),
    ("multiclass", {"form": "wide_and_deep", "members": 1, "bins": 0}),
    ("multiclass", {"form": "wide_and_deep", "members": 2, "bins": 4}),
]


@pytest.mark.parametrize(("task", "point"), MODELS)
def test_a_model_of_every_form_has_a_proven_twin(exported, task, point):
    found = exported(task, **point)
    proof = found.prove()
    assert proof.proven, proof.reason
    assert proof.rows == 400
    assert proof.directed > 300

"""Every kind of feature, every form of network and every task has a twin, and each twin is proven."""

from itertools import product

import pytest

from components.training.hyperparameters import CHOICES
from components.transform.override import _ALLOWED
from tests.components.training.twin.conftest import FEATURES, KINDS, POINTS


def test_every_form_of_every_task_is_among_them():
    assert POINTS.keys() == set(product(FEATURES, CHOICES["form"]))


def test_every_encoding_of_every_kind_is_among_them():
    found = {
        (KINDS[column], chosen if isinstance(chosen, str) else chosen["encoding"])
        for features in FEATURES.values()
        for column, chosen in features.items()
    }
    assert found == {(kind, encoding) for kind, encodings in _ALLOWED.items() for encoding in encodings}


@pytest.mark.parametrize(("task", "form"), POINTS)
def test_a_model_of_every_form_has_a_proven_twin(exported, task, form):
    proof = exported(task, form).prove()
    assert proof.proven, proof.reason
    assert proof.rows == 400
    assert proof.directed > 200

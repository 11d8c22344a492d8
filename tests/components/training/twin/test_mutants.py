"""The proof finds single faults: 98 in 100, and the others change no answer that anybody could get."""

from collections import Counter

import pytest

from tests.components.training.twin.mutants import list_mutants

# Faults that no row shows. Of dates alone: docs/twin.md gives the reasons.
SURVIVORS = {
    "step 103: Sum is Max",
    "step 109: Sum is Max",
    "step 208: AddV2 is Sub",
    "step 208: AddV2 left out",
    "c61() entry 0 changed",
    "c3(10,) entry 5 changed",
    "c15(13,) entry 0 changed",
}


FOUND_BY = ("test rows", "directed rows", "rows are asked together", "that TensorFlow refuses")


def judge(model, mutant):
    """Return by what a fault is found."""
    try:
        proof = model.prove(mutant)
    except (ArithmeticError, ValueError, IndexError, TypeError):
        return "does not run"  # which everybody notices
    if proof.proven:
        return "not"
    return next(by for by in FOUND_BY if by in proof.reason)


@pytest.mark.parametrize(
    ("task", "form", "least", "survivors"),
    [
        ("binary", "wide_and_deep", 417, SURVIVORS),
        ("multiclass", "mlp", 125, set()),
        ("regression", "linear", 130, set()),
    ],
)
def test_single_faults_are_found(exported, task, form, least, survivors):
    """How many each kind of row finds hangs on where drawn rows lie; which ones none finds does not."""
    model = exported(task, form)
    judged = {told: judge(model, mutant) for told, mutant in list_mutants(model.program)}
    assert {told for told, by in judged.items() if by == "not"} == survivors
    counts = Counter(judged.values())
    assert counts["test rows"] > 0
    assert counts["directed rows"] > 0
    ran = len(judged) - counts["does not run"]
    assert ran >= least
    assert len(survivors) <= 0.03 * ran

"""Releases to KServe whose task is killed: the next one completes them."""

import pytest

from tests.cluster.releases import SHAPES, A, B, C, live, release, uri, wanted

pytestmark = pytest.mark.cluster


class Killed(BaseException):
    """The releasing task is gone."""


def test_the_state_of_a_release_lies_in_the_cluster_alone(target_of, played):
    release(target_of(strategy="replace"), A)
    played.behaviour[uri(B)] = "slow"
    target_of(strategy="replace").apply(wanted(B))  # and the task that did it is killed
    played.behaviour[uri(B)] = "ready"
    assert release(target_of(strategy="replace"), C).weights == {C[:12]: 100}
    released = [one.revision for one in target_of(strategy="replace").observe("flights").released]
    assert C[:12] in released
    assert B[:12] not in released


def _kill_at(target, step):
    """End the task when it has sent its n-th change to the cluster."""
    sent, send = [], target._cluster.apply

    def apply(path, document, *, dry_run=False):
        answer = send(path, document, dry_run=dry_run)
        sent.append(dry_run)
        if sent.count(False) == step:
            raise Killed
        return answer

    target._cluster.apply = apply


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    ("shape", "step"),
    [
        ("replace", 1),
        ("Standard", 1),
        ("Standard", 2),
        ("Standard", 3),
        ("Knative", 1),
        ("Knative", 2),
        ("Knative", 3),
    ],
)
def test_a_release_that_was_killed_after_any_change_is_completed_by_the_next(
    target_of, played, shape, step
):
    knobs = SHAPES[shape]
    release(target_of(**(knobs if shape == "Knative" else {"strategy": "replace"})), A)
    killed = target_of(**knobs)
    _kill_at(killed, step)
    with pytest.raises(Killed):
        release(killed, B)
    observed = release(target_of(**knobs), B)
    assert observed.weights == {B[:12]: 100}
    assert [one.revision for one in observed.released] == [A[:12], B[:12]]
    assert "canary" not in live(played)["spec"]
    assert "canaryTrafficPercent" not in live(played)["spec"]["predictor"]


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("shape", SHAPES)
def test_another_model_after_a_killed_release_starts_from_the_old_one(target_of, played, shape):
    knobs = SHAPES[shape]
    release(target_of(**(knobs if shape == "Knative" else {"strategy": "replace"})), A)
    killed = target_of(**knobs)
    _kill_at(killed, 1)
    with pytest.raises(Killed):
        release(killed, B)
    observed = release(target_of(**knobs), C)
    assert observed.weights == {C[:12]: 100}
    assert observed.released[-1].revision == C[:12]
    assert B[:12] not in {one.revision for one in observed.revisions}

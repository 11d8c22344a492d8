"""What a release to KServe is refused for, and that nothing has changed then."""

import pytest

from components.common.errors import BadInputError, RefusedError
from tests.cluster.nodes import NAMESPACE
from tests.cluster.releases import A, B, C, live, release

pytestmark = pytest.mark.cluster


def test_a_canary_is_refused_where_nothing_is_routed_to_it_before_anything_changes(target_of, played):
    release(target_of(strategy="replace"), A)
    before = live(played)["metadata"]["resourceVersion"]
    with pytest.raises(BadInputError, match=r"KServe 0\.20 takes the field `spec\.canary`.*replace"):
        release(target_of(), B)
    assert live(played)["metadata"]["resourceVersion"] == before


def test_fields_of_others_stay_and_one_that_both_want_is_told(target_of, played, installed):
    target = target_of(strategy="replace")
    release(target, A)
    about = {"name": "flights", "namespace": NAMESPACE, "annotations": {"team.example/owner": "ops"}}
    theirs = {
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": about,
        "spec": {"predictor": {"timeout": 30}},
    }  # fmt: skip
    assert installed.kubectl("apply", "--server-side", "-f", "-", given=[theirs]).ok
    release(target, B)
    found = live(played)
    assert found["spec"]["predictor"]["timeout"] == 30
    assert found["metadata"]["annotations"]["team.example/owner"] == "ops"
    theirs["spec"]["predictor"] = {"maxReplicas": 9}
    forced = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    assert installed.kubectl(*forced, given=[theirs]).ok
    before = live(played)["metadata"]["resourceVersion"]
    with pytest.raises(RefusedError, match=r"maxReplicas.*kubectl"):
        release(target, C)
    assert live(played)["metadata"]["resourceVersion"] == before


def test_what_something_else_made_is_left_alone(target_of, played, installed):
    other = {
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
        "metadata": {"name": "flights", "namespace": NAMESPACE},
        "spec": {"predictor": {"containers": [{"name": "kserve-container", "image": "one"}]}},
    }  # fmt: skip
    assert installed.kubectl("apply", "--server-side", "-f", "-", given=[other]).ok
    with pytest.raises(BadInputError, match="custom container"):
        release(target_of(strategy="replace"), A)
    assert live(played)["spec"]["predictor"]["containers"][0]["image"] == "one"


def test_a_mode_is_not_changed_under_a_model_that_serves(target_of):
    release(target_of(strategy="replace"), A)
    with pytest.raises(BadInputError, match="runs in the mode Standard"):
        release(target_of(strategy="replace", kserve={"mode": "Knative"}), B)

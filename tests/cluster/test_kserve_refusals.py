"""What a release to KServe is refused for, and that nothing has changed then."""

import pytest

from components.common.errors import BadInputError, RefusedError
from tests.cluster.nodes import LEASES, NAMESPACE, await_so
from tests.cluster.releases import A, B, C, live, release

pytestmark = pytest.mark.cluster

GATEWAY = "apis/gateway.networking.k8s.io/v1"
REFUSED = [
    ({"strategy": "ab", "steps": [50]}, {}, r"weights alone.*deploy\.strategy"),
    ({"sticky": "X-User"}, {}, r"weights alone.*deploy\.sticky"),
    ({"kserve": {"address": "external"}}, {}, r"no address of its own.*deploy\.kserve\.address.*replace"),
    ({"steps": [5, 100], "on_inconclusive": "restore"}, {}, r"nothing counts.*deploy\.kserve\.prometheus"),
    ({"kserve": {"mode": "Knative"}}, {}, "runs in the mode Standard"),
    ({}, {"name": "f" * 40}, r"longer than 63 characters.*model_name.*replace"),
]


@pytest.fixture
def versions(installed, played):
    """Tells the version of every object of the cluster, those of Leases included."""

    def tell():
        leases = played.ask("GET", LEASES)["items"]
        claims = {one["metadata"]["name"]: one["metadata"]["resourceVersion"] for one in leases}
        return installed.everything(), claims

    return tell


@pytest.fixture
def settled(versions):
    """The same, once nothing changes by itself any more."""
    known = [None]

    def is_settled():
        known.append(versions())
        return known[-1] == known[-2]

    def settle():
        await_so(is_settled)
        return known[-1]

    return settle


@pytest.mark.usefixtures("routing")
def test_what_cannot_be_honoured_is_refused_by_its_knob_and_no_object_has_changed(
    target_of, versions, settled, monkeypatch
):
    release(target_of(), A)
    before = settled()
    for knobs, model, told in REFUSED:
        with pytest.raises(BadInputError, match=told):
            release(target_of(**knobs), B, **model)
    assert versions() == before
    target = target_of()
    read = target._cluster.read

    def without_gateway(path, **query):
        found = read(path, **query)
        if path == "/openapi/v3":
            del found["paths"][GATEWAY]
        return found

    monkeypatch.setattr(target._cluster, "read", without_gateway)
    with pytest.raises(BadInputError, match=r"needs the Gateway API.*no gateway.*replace"):
        release(target, B)
    assert versions() == before


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

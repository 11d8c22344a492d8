"""What scales servers: what KServe's controller makes of the knobs, read back."""

import pytest

from components.common.errors import BadInputError
from tests.cluster.nodes import HPA, NAMESPACE, SERVICES, await_so
from tests.cluster.releases import A, B, live, release, wanted

pytestmark = pytest.mark.cluster

SCALED = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects"
BETWEEN = {"min_replicas": 2, "max_replicas": 5}


@pytest.fixture(autouse=True)
def _nothing_scales(played):
    """Nobody collects here what belonged to a service that is gone."""
    for folder in (HPA, SCALED):
        played.ask("DELETE", folder)


def scaler(played, folder):
    await_so(lambda: played.ask("GET", folder)["items"])
    (found,) = played.ask("GET", folder)["items"]
    return found["spec"]


@pytest.mark.parametrize(
    ("knobs", "metric", "percent"),
    [
        ({"scale_metric": "cpu", "scale_target": 70}, "cpu", 70),
        ({"scale_target": 55}, "cpu", 55),
        ({"scale_metric": "memory", "scale_target": 60}, "memory", 60),
    ],
)
def test_hpa_scales_by_what_is_asked_for(target_of, played, knobs, metric, percent):
    release(target_of(strategy="replace", kserve={**BETWEEN, **knobs}), A)
    found = scaler(played, HPA)
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 5)
    assert found["scaleTargetRef"]["name"] == "flights-predictor"
    asked = {"type": "Utilization", "averageUtilization": percent}
    assert [one["resource"] for one in found["metrics"]] == [{"name": metric, "target": asked}]


@pytest.mark.parametrize(
    ("knobs", "metric", "percent"),
    [({}, "cpu", "80"), ({"scale_metric": "memory", "scale_target": 60}, "memory", "60")],
)
def test_keda_scales_by_what_is_asked_for(target_of, played, knobs, metric, percent):
    target = target_of(strategy="replace", kserve={**BETWEEN, "autoscaler": "keda", **knobs})
    release(target, A)
    found = scaler(played, SCALED)
    assert (found["minReplicaCount"], found["maxReplicaCount"]) == (2, 5)
    assert found["scaleTargetRef"]["name"] == "flights-predictor"
    assert found["triggers"] == [
        {"type": metric, "metricType": "Utilization", "metadata": {"value": percent}}
    ]
    assert played.ask("GET", HPA)["items"] == []
    before = live(played)["metadata"]["generation"]
    release(target, A)
    assert live(played)["metadata"]["generation"] == before
    assert release(target, B).weights == {B[:12]: 100}


@pytest.mark.usefixtures("routing")
def test_a_canary_under_keda_is_refused_since_kserve_makes_no_more_of_it(target_of, played):
    knobs = {"autoscaler": "keda"}
    release(target_of(strategy="replace", kserve=knobs), A)
    before = live(played)["metadata"]["resourceVersion"]
    with pytest.raises(BadInputError, match=r"autoscaler.*strategy: replace.*autoscaler: hpa"):
        release(target_of(kserve=knobs), B)
    assert live(played)["metadata"]["resourceVersion"] == before
    target_of(kserve=knobs).apply(wanted(B))  # what would come of it
    events = f"/api/v1/namespaces/{NAMESPACE}/events"
    said = f'"flights-r{B[:12]}-predictor" is invalid: spec.triggers: Required value'
    await_so(lambda: any(said in one["message"] for one in played.ask("GET", events)["items"]))


@pytest.mark.parametrize(
    ("knobs", "metric", "target"),
    [
        ({"scale_metric": "concurrency", "scale_target": 8}, "concurrency", "8"),
        ({"scale_metric": "rps", "scale_target": 50}, "rps", "50"),
    ],
)
def test_knative_scales_by_what_is_asked_for_and_to_zero(target_of, played, knobs, metric, target):
    kserve = {"mode": "Knative", "min_replicas": 0, "max_replicas": 4, **knobs}
    release(target_of(kserve=kserve), A)
    template = played.ask("GET", f"{SERVICES}/flights-predictor")["spec"]["template"]
    told = {key.rpartition("/")[2]: value for key, value in template["metadata"]["annotations"].items()}
    names = ("min-scale", "max-scale", "metric", "target")
    assert tuple(told[name] for name in names) == ("0", "4", metric, target)

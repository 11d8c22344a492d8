"""Both shapes of a canary, as KServe's own controller treats them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment.candidate import Candidate
from components.deployment.kserve_api import MANAGER
from components.deployment.kserve_document import owned
from components.deployment.release import release_model
from tests.cluster.nodes import OWN, SERVICES, await_so
from tests.cluster.releases import A, B, deployments, live, release, shares, traffic, uri, wanted

pytestmark = pytest.mark.cluster


@pytest.mark.usefixtures("routing")
def test_a_canary_gets_its_shares_and_is_promoted_with_the_same_pods(target_of, played):
    release(target_of(strategy="replace"), A)
    target = target_of(steps=[25, 100])
    target.plan(wanted(B))
    target.apply(wanted(B))
    await_so(lambda: target.observe("flights").find(B[:12]).state == "ready")
    for share in (25, 50, 100):
        target.weigh("flights", {B[:12]: share, A[:12]: 100 - share})
        told = live(played)["status"]["canaryStatuses"]
        assert [one["trafficPercent"] for one in told] == [share]
        await_so(lambda: [one["ready"] for one in live(played)["status"]["canaryStatuses"]] == [True])
        assert [one["trafficPercent"] for one in live(played)["spec"]["canary"]] == [share]
    before = deployments(played)[f"flights-r{B[:12]}-predictor"]
    target.remove("flights", A[:12])
    await_so(lambda: list(deployments(played)) == [f"flights-r{B[:12]}-predictor"])
    after = deployments(played)[f"flights-r{B[:12]}-predictor"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["template"] == before["spec"]["template"]
    observed = target.observe("flights")
    assert observed.weights == {B[:12]: 100}
    assert [one.revision for one in observed.released] == [A[:12], B[:12]]


@pytest.mark.usefixtures("routing")
def test_a_canary_has_no_request_before_it_has_the_fewest_servers(target_of, played):
    four = {"kserve": {"min_replicas": 4, "max_replicas": 7}}
    release(target_of(**four), A)
    played.most[uri(B)] = 3
    target, since = target_of(**four), played.ask("GET", OWN)["metadata"]["resourceVersion"]
    with ThreadPoolExecutor() as pool:
        released = pool.submit(release, target, B)
        await_so(lambda: _available(played, f"flights-r{B[:12]}-predictor") == 3)
        await_so(lambda: live(played)["status"]["canaryStatuses"][0]["ready"])
        time.sleep(2)
        asked = [shares(one) for one in played.versions(OWN, since)]
        played.most.clear()
        assert released.result().weights == {B[:12]: 100}
    assert {one.get(B[:12], 0) for one in asked} == {0}
    assert _available(played, f"flights-r{B[:12]}-predictor") == 4


@pytest.mark.usefixtures("routing")
def test_a_canary_without_the_fewest_servers_is_taken_back(target_of, played, monkeypatch):
    monkeypatch.setattr("components.deployment.kserve._TAKEN_SECONDS", 3.0)
    two = {"kserve": {"min_replicas": 2}, "timeout_seconds": 3.0}
    release(target_of(**two), A)
    played.most[uri(B)] = 1
    with pytest.raises(UnavailableError, match=r"has not had 2 servers.*serves as before \(ready\)"):
        release(target_of(**two), B)
    assert shares(live(played)) == {A[:12]: 100}


def _available(played, name):
    return deployments(played).get(name, {}).get("status", {}).get("availableReplicas", 0)


@pytest.mark.usefixtures("routing")
def test_a_broken_canary_is_caught_though_the_service_says_it_is_ready(target_of, played):
    release(target_of(strategy="replace"), A)
    spec = owned(live(played), MANAGER)["spec"]
    played.behaviour[uri(B)] = "failing"
    said = []

    def look():
        await_so(lambda: "canaryStatuses" in live(played).get("status", {}))
        found = live(played)["status"]
        ready = next(one["status"] for one in found["conditions"] if one["type"] == "Ready")
        said.append((ready, found["canaryStatuses"][0]["ready"]))

    looking = threading.Thread(target=look)
    looking.start()
    with pytest.raises(UnavailableError, match="CanaryPredictorReady is not so"):
        release(target_of(timeout_seconds=4.0), B)
    looking.join()
    assert said == [("True", False)]
    assert owned(live(played), MANAGER)["spec"] == spec
    await_so(lambda: list(deployments(played)) == ["flights-predictor"])


def test_knative_splits_by_its_traffic_and_promotes(target_of, played):
    knobs = {"kserve": {"mode": "Knative", "min_replicas": 0}}
    release(target_of(**knobs), A)
    target = target_of(**knobs, steps=[20, 100])
    target.apply(wanted(B))
    await_so(lambda: target.observe("flights").find(B[:12]).state == "ready")
    assert traffic(played) == [(True, 0), ("flights-predictor-00001", 100)]
    target.weigh("flights", {B[:12]: 20, A[:12]: 80})
    assert traffic(played) == [(True, 20), ("flights-predictor-00001", 80)]
    assert target.observe("flights").weights == {B[:12]: 20, A[:12]: 80}
    promoted = target_of(**knobs)
    candidate, about = Candidate(wanted=wanted(B)), {"config": promoted._config, "holder": "run 1"}
    with pytest.raises(BadInputError, match="has 20 % of the requests, and would get all unjudged"):
        release_model(promoted, candidate, **about)
    assert release_model(promoted, candidate, **about, is_decided=True).weights == {B[:12]: 100}
    assert traffic(played) == [(True, 100)]
    assert [one.revision for one in target.observe("flights").released] == [A[:12], B[:12]]
    assert len(played.revisions["flights-predictor"]) == 2


def test_a_revision_of_knative_that_fails_gets_no_request_at_any_moment(target_of, played):
    knobs = {"kserve": {"mode": "Knative"}}
    release(target_of(**knobs), A)
    spec = owned(live(played), MANAGER)["spec"]
    played.behaviour[uri(B)] = "failing"
    routed = []
    ended = threading.Event()

    def watch():
        while not ended.is_set():
            traffic = played.ask("GET", f"{SERVICES}/flights-predictor")["status"]["traffic"]
            routed.append({one["revisionName"]: one["percent"] for one in traffic if one["percent"]})

    watching = threading.Thread(target=watch)
    watching.start()
    with pytest.raises(RefusedError, match="failed with message: Container exited 1"):
        release(target_of(**knobs), B)
    ended.set()
    watching.join()
    assert owned(live(played), MANAGER)["spec"] == spec
    ours = dict(played.revisions["flights-predictor"])
    assert {ours[name] for one in routed for name in one} == {uri(A)}
    assert all(sum(one.values()) == 100 for one in routed)

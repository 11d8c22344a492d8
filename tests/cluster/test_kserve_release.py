"""Releases to KServe's own controller by the deployer's token: what it makes of each step is read back."""

import json
import threading

import pytest
import yaml

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment.candidate import Candidate
from components.deployment.kserve_api import MANAGER
from components.deployment.kserve_document import owned
from components.deployment.manifest import write_manifest
from components.deployment.release import release_model
from components.deployment.target import Wanted
from tests.cluster.nodes import DEPLOYMENTS, LEASES, NAMESPACE, OWN, SERVICES, await_so

pytestmark = pytest.mark.cluster

A, B, C = (f"{digit * 64}" for digit in "abc")  # digests of models


def wanted(digest, name="flights", run_id="run-1"):
    """A model, as evaluation hands it over on Kubeflow."""
    return Wanted(
        name=name, revision=digest[:12], model_uri=f"minio://mlpipeline/{digest[:4]}", model_digest=digest,
        data_version="0" * 64, run_id=run_id,
    )  # fmt: skip


def uri(digest):
    return f"s3://mlpipeline/{digest[:4]}"


def release(target, digest, **knobs):
    """Release a model without golden requests: no pod answers here."""
    config = target._config
    return release_model(target, Candidate(wanted=wanted(digest, **knobs)), config=config, holder="run 1")


def live(played, name="flights"):
    return played.ask("GET", f"{OWN}/{name}")


def deployments(played):
    return {one["metadata"]["name"]: one for one in played.ask("GET", DEPLOYMENTS)["items"]}


def test_a_first_model_serves_as_the_manifest_says_and_again_changes_nothing(target_of, played, tmp_path):
    target = target_of(strategy="replace")
    observed = release(target, A)
    assert observed.weights == {A[:12]: 100}
    assert observed.url == f"http://flights-predictor.{NAMESPACE}.svc.cluster.local/v2/models/flights/infer"
    found = live(played)
    text = write_manifest(tmp_path, wanted(A), target._config).read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    ours = owned(found, MANAGER)
    assert ours["spec"] == written["spec"]
    assert ours["metadata"] == {key: written["metadata"][key] for key in ("labels", "annotations")}
    assert written["spec"]["predictor"]["model"]["storageUri"] == uri(A)
    before = deployments(played)["flights-predictor"]["metadata"]["generation"]
    release(target, A, run_id="run-2")
    assert live(played)["metadata"]["generation"] == found["metadata"]["generation"]
    assert deployments(played)["flights-predictor"]["metadata"]["generation"] == before
    assert target.names() == ["flights"]


def test_what_scales_is_what_was_asked_for(target_of, played, installed):
    knobs = {"min_replicas": 2, "max_replicas": 5, "scale_metric": "cpu", "scale_target": 70}
    release(target_of(strategy="replace", kserve=knobs), A)
    find = ("get", "hpa", "flights-predictor", f"--namespace={NAMESPACE}", "--output=json")
    await_so(lambda: installed.kubectl(*find).ok)
    scaler = json.loads(installed.kubectl(*find).out)["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert scaler["scaleTargetRef"]["name"] == "flights-predictor"
    assert scaler["metrics"][0]["resource"] == {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}
    }  # fmt: skip


def test_a_model_takes_anothers_place_and_can_be_rolled_back(target_of, played):
    target = target_of(strategy="replace")
    release(target, A)
    played.behaviour[uri(B)] = "slow"
    before = target.observe("flights")
    target.apply(wanted(B))
    await_so(lambda: _template_uri(played) == uri(B))
    found = target.observe("flights")
    assert found.weights == {A[:12]: 100}
    assert found.stable.revision == A[:12]
    assert before.released == found.released
    played.behaviour[uri(B)] = "ready"
    assert release(target, B).weights == {B[:12]: 100}
    after = target.observe("flights")
    assert [one.revision for one in after.released] == [A[:12], B[:12]]
    assert release(target, A).weights == {A[:12]: 100}
    assert _template_uri(played) == uri(A)


def _template_uri(played, name="flights-predictor"):
    annotations = deployments(played)[name]["spec"]["template"]["metadata"]["annotations"]
    return annotations["internal.serving.kserve.io/storage-initializer-sourceuri"]


def test_a_model_that_fails_in_anothers_place_is_taken_back_with_the_reason(target_of, played):
    target = target_of(strategy="replace")
    release(target, A)
    spec, template = owned(live(played), MANAGER)["spec"], deployments(played)["flights-predictor"]["spec"]
    played.behaviour[uri(B)] = "failing"
    with pytest.raises(RefusedError, match="has timed out progressing") as caught:
        release(target, B)
    assert f"revision {A[:12]} serves as before (ready)" in str(caught.value)
    assert owned(live(played), MANAGER)["spec"] == spec
    await_so(lambda: deployments(played)["flights-predictor"]["spec"]["template"] == template["template"])


def test_a_first_model_that_fails_is_stopped_and_the_next_starts_it_again(target_of, played):
    played.behaviour[uri(A)] = "failing"
    target = target_of(strategy="replace", timeout_seconds=4.0)
    with pytest.raises(UnavailableError, match=r"MinimumReplicasUnavailable.*nothing was served before"):
        release(target, A)
    await_so(lambda: not deployments(played))
    assert release(target_of(strategy="replace"), B).weights == {B[:12]: 100}


def test_a_canary_is_refused_where_nothing_is_routed_to_it_before_anything_changes(target_of, played):
    release(target_of(strategy="replace"), A)
    before = live(played)["metadata"]["resourceVersion"]
    with pytest.raises(BadInputError, match=r"KServe 0\.20 takes the field `spec\.canary`.*replace"):
        release(target_of(), B)
    assert live(played)["metadata"]["resourceVersion"] == before


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


@pytest.mark.usefixtures("routing")
def test_a_canary_that_dies_at_a_share_is_taken_back(target_of, played):
    release(target_of(strategy="replace"), A)
    spec = owned(live(played), MANAGER)["spec"]

    def kill():
        await_so(lambda: [one["trafficPercent"] for one in live(played)["spec"].get("canary", [])] == [25])
        played.behaviour[uri(B)] = "dying"

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(UnavailableError, match=r"not ready in time: .*CanaryPredictorReady is not so"):
        release(target_of(steps=[25, 100], timeout_seconds=8.0), B)
    killing.join()
    assert owned(live(played), MANAGER)["spec"] == spec
    await_so(lambda: list(deployments(played)) == ["flights-predictor"])


def test_knative_splits_by_its_traffic_and_promotes(target_of, played):
    knobs = {"kserve": {"mode": "Knative", "min_replicas": 0}}
    release(target_of(**knobs), A)
    target = target_of(**knobs, steps=[20, 100])
    target.apply(wanted(B))
    await_so(lambda: target.observe("flights").find(B[:12]).state == "ready")
    assert _traffic(played) == [(True, 0), ("flights-predictor-00001", 100)]
    target.weigh("flights", {B[:12]: 20, A[:12]: 80})
    assert _traffic(played) == [(True, 20), ("flights-predictor-00001", 80)]
    assert target.observe("flights").weights == {B[:12]: 20, A[:12]: 80}
    assert release(target_of(**knobs), B).weights == {B[:12]: 100}
    assert _traffic(played) == [(True, 100)]
    assert [one.revision for one in target.observe("flights").released] == [A[:12], B[:12]]
    assert len(played.revisions["flights-predictor"]) == 2


def _traffic(played):
    traffic = played.ask("GET", f"{SERVICES}/flights-predictor")["spec"]["traffic"]
    return [(one["latestRevision"] or one["revisionName"], one["percent"]) for one in traffic]


def test_a_revision_of_knative_that_fails_gets_no_request_at_any_moment(target_of, played):
    knobs = {"kserve": {"mode": "Knative"}}
    release(target_of(**knobs), A)
    spec = owned(live(played), MANAGER)["spec"]
    played.behaviour[uri(B)] = "failing"
    shares = []
    ended = threading.Event()

    def watch():
        while not ended.is_set():
            traffic = played.ask("GET", f"{SERVICES}/flights-predictor")["status"]["traffic"]
            shares.append({one["revisionName"]: one["percent"] for one in traffic if one["percent"]})

    watching = threading.Thread(target=watch)
    watching.start()
    with pytest.raises(RefusedError, match="failed with message: Container exited 1"):
        release(target_of(**knobs), B)
    ended.set()
    watching.join()
    assert owned(live(played), MANAGER)["spec"] == spec
    ours = dict(played.revisions["flights-predictor"])
    assert {ours[name] for one in shares for name in one} == {uri(A)}
    assert all(sum(one.values()) == 100 for one in shares)


def test_of_two_releases_one_wins_and_the_other_is_told_by_whom(target_of):
    target = target_of(strategy="replace")
    target.claim("flights", "run 7")
    with pytest.raises(RefusedError, match="run 7 is releasing a model under this name now"):
        release(target_of(strategy="replace"), A)
    target.unclaim("flights", "run 7")
    assert release(target_of(strategy="replace"), A).weights == {A[:12]: 100}


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


def test_the_state_of_a_release_lies_in_the_cluster_alone(target_of, played):
    release(target_of(strategy="replace"), A)
    played.behaviour[uri(B)] = "slow"
    target_of(strategy="replace").apply(wanted(B))  # and the task that did it is killed
    played.behaviour[uri(B)] = "ready"
    assert release(target_of(strategy="replace"), C).weights == {C[:12]: 100}
    released = [one.revision for one in target_of(strategy="replace").observe("flights").released]
    assert C[:12] in released
    assert B[:12] not in released


def test_a_claim_whose_holder_died_is_void_after_its_time(target_of, played):
    target = target_of(strategy="replace")
    target.claim("flights", "run 7")
    path = f"{LEASES}/millrace-release-flights"
    long_ago = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}
    played.ask("PATCH", path, long_ago, "merge-patch+json")
    assert target.observe("flights").holder is None
    target.claim("flights", "run 8")
    assert target.observe("flights").holder == "run 8"


def test_a_claim_is_renewed_while_a_model_is_waited_for(target_of, played, monkeypatch):
    target = target_of(strategy="replace")
    target.claim("flights", "run 7")
    lease = f"{LEASES}/millrace-release-flights"
    before = played.ask("GET", lease)["spec"]["renewTime"]
    target.observe("flights")
    assert played.ask("GET", lease)["spec"]["renewTime"] == before
    monkeypatch.setattr("components.deployment.kserve._RENEWAL_SECONDS", 0.0)
    target.observe("flights")
    assert played.ask("GET", lease)["spec"]["renewTime"] > before
    target.unclaim("flights", "run 7")
    target.observe("flights")
    assert played.ask("GET", lease)["spec"]["holderIdentity"] == ""


def test_a_manifest_is_applied_by_others_without_a_warning_and_is_theirs(
    target_of, played, installed, tmp_path
):
    target = target_of(strategy="replace")
    file = write_manifest(tmp_path, wanted(A), target._config)
    command = ("apply", "--server-side", "--validate=strict", "-f", str(file))
    answer = installed.kubectl(*command)
    assert (answer.ok, answer.error) == (True, "")
    await_so(lambda: deployments(played))
    assert _template_uri(played) == uri(A)
    generation = live(played)["metadata"]["generation"]
    assert installed.kubectl(*command).ok
    assert live(played)["metadata"]["generation"] == generation
    with pytest.raises(BadInputError, match="is not Millrace's"):
        release(target, B)


class Killed(BaseException):
    """The releasing task is gone."""


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


SHAPES = {
    "replace": {"strategy": "replace"},
    "Standard": {"steps": [100]},
    "Knative": {"steps": [100], "kserve": {"mode": "Knative"}},
}


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

"""Releases to KServe's own controller by the deployer's token: what it makes of each is read back."""

from pathlib import Path

import pytest
import yaml

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment.kserve_api import MANAGER
from components.deployment.kserve_document import STOP, owned
from components.deployment.manifest import write_manifest
from tests.cluster.nodes import LEASES, NAMESPACE, OWN, await_so
from tests.cluster.releases import A, B, C, deployments, live, release, template_uri, uri, wanted

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
RUNTIMES = f"/apis/serving.kserve.io/v1alpha1/namespaces/{NAMESPACE}/servingruntimes"


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


@pytest.fixture
def by_grpc(played):
    """Runtimes as the manifests' option `grpc` makes them."""
    text = (ROOT / "manifests" / "options" / "grpc" / "kustomization.yaml").read_text(encoding="utf-8")
    (patch,) = [one for one in yaml.safe_load(text)["patches"] if one["target"]["kind"] == "ServingRuntime"]
    before = played.ask("GET", RUNTIMES)["items"]
    for one in before:
        path = f"{RUNTIMES}/{one['metadata']['name']}"
        played.ask("PATCH", path, yaml.safe_load(patch["patch"]), "json-patch+json")
    yield
    for one in before:
        path = f"{RUNTIMES}/{one['metadata']['name']}"
        now = played.ask("GET", path)
        played.ask("PUT", path, {**now, "spec": one["spec"]})


def test_a_server_is_asked_by_grpc_where_kserve_has_its_service_listen(target_of, played, by_grpc):
    target = target_of(strategy="replace", kserve={"grpc_port": 9000})
    release(target, A)
    service = played.ask("GET", f"/api/v1/namespaces/{NAMESPACE}/services/flights-predictor")
    ports = {one["port"]: one["targetPort"] for one in service["spec"]["ports"]}
    assert ports[9000] == 9000
    found = target.observe("flights").find(A[:12])
    assert found.grpc == f"flights-predictor.{NAMESPACE}.svc.cluster.local:9000"


def test_a_model_again_is_scaled_otherwise_and_its_pods_stay(target_of, played):
    release(target_of(strategy="replace"), A)
    before = deployments(played)["flights-predictor"]["spec"]["template"]
    release(target_of(strategy="replace", kserve={"min_replicas": 2}), A)
    await_so(lambda: deployments(played)["flights-predictor"]["status"]["availableReplicas"] == 2)
    assert deployments(played)["flights-predictor"]["spec"]["template"] == before


def test_a_model_takes_anothers_place_and_can_be_rolled_back(target_of, played):
    target = target_of(strategy="replace")
    release(target, A)
    played.behaviour[uri(B)] = "slow"
    before = target.observe("flights")
    target.apply(wanted(B))
    await_so(lambda: template_uri(played) == uri(B))
    found = target.observe("flights")
    assert found.weights == {A[:12]: 100}
    assert found.stable.revision == A[:12]
    assert before.released == found.released
    played.behaviour[uri(B)] = "ready"
    assert release(target, B).weights == {B[:12]: 100}
    after = target.observe("flights")
    assert [one.revision for one in after.released] == [A[:12], B[:12]]
    assert release(target, A).weights == {A[:12]: 100}
    assert template_uri(played) == uri(A)


def test_a_model_that_fails_in_anothers_place_is_taken_back_to_the_same_pods_with_the_reason(
    target_of, played
):
    target = target_of(strategy="replace")
    release(target, A)
    release(target, B)
    spec, template = owned(live(played), MANAGER)["spec"], deployments(played)["flights-predictor"]["spec"]
    played.behaviour[uri(C)] = "failing"
    with pytest.raises(RefusedError, match="has timed out progressing") as caught:
        release(target, C)
    assert f"revision {B[:12]} serves as before (ready)" in str(caught.value)
    assert owned(live(played), MANAGER)["spec"] == spec
    await_so(lambda: deployments(played)["flights-predictor"]["spec"]["template"] == template["template"])


def test_a_first_model_that_fails_is_stopped_and_the_next_starts_it_again(target_of, played):
    played.behaviour[uri(A)] = "failing"
    target = target_of(strategy="replace", timeout_seconds=4.0)
    with pytest.raises(UnavailableError, match=r"MinimumReplicasUnavailable.*nothing was served before"):
        release(target, A)
    await_so(lambda: not deployments(played))
    assert release(target_of(strategy="replace"), B).weights == {B[:12]: 100}


def test_what_somebody_else_has_stopped_stays_so(target_of, played):
    release(target_of(strategy="replace"), A)
    stop = {"metadata": {"annotations": {STOP: "true"}}}
    played.ask("PATCH", f"{OWN}/flights", stop, "merge-patch+json")
    await_so(lambda: not deployments(played))
    with pytest.raises(BadInputError, match="somebody has stopped it"):
        release(target_of(strategy="replace"), B)
    assert live(played)["metadata"]["annotations"][STOP] == "true"


def test_of_two_releases_one_wins_and_the_other_is_told_by_whom(target_of):
    target = target_of(strategy="replace")
    target.claim("flights", "run 7")
    with pytest.raises(RefusedError, match="run 7 is releasing a model under this name now"):
        release(target_of(strategy="replace"), A)
    target.unclaim("flights", "run 7")
    assert release(target_of(strategy="replace"), A).weights == {A[:12]: 100}


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
    assert template_uri(played) == uri(A)
    generation = live(played)["metadata"]["generation"]
    assert installed.kubectl(*command).ok
    assert live(played)["metadata"]["generation"] == generation
    with pytest.raises(BadInputError, match="is not Millrace's"):
        release(target, B)

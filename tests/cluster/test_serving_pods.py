"""The pods of servers, as KServe's controller and webhook make them of what we install."""

import copy

import pytest

from tests.cluster.nodes import DEPLOYMENTS, NAMESPACE, SERVICES
from tests.cluster.releases import A, release

pytestmark = pytest.mark.cluster


@pytest.fixture
def pod(target_of, played):
    """The pod of a model's Deployment, before the webhook has seen it."""
    release(target_of(strategy="replace"), A)
    return _pod(played.ask("GET", f"{DEPLOYMENTS}/flights-predictor"))


def _pod(owner):
    template = copy.deepcopy(owner["spec"]["template"])
    about = {**template["metadata"], "name": "flights-1", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": template["spec"]}


def test_a_server_is_admitted_with_the_container_that_fetches_its_model(installed, pod):
    admitted = installed.create_pod(pod).json()
    (fetch,), (server,) = admitted["spec"]["initContainers"], admitted["spec"]["containers"]
    assert fetch["name"] == "storage-initializer"
    assert fetch["args"] == ["s3://mlpipeline/aaaa", "/mnt/models"]
    told = {
        one["name"]: one.get("value") or one["valueFrom"]["secretKeyRef"]["name"] for one in fetch["env"]
    }
    assert told["AWS_ENDPOINT_URL"] == "http://seaweedfs.kubeflow:9000"
    assert {told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]} == {"millrace-store"}
    assert server["args"][:2] == ["--model=/mnt/models", "--name=flights"]
    assert server["securityContext"]["readOnlyRootFilesystem"]
    assert admitted["spec"]["automountServiceAccountToken"] is False
    assert admitted["metadata"]["labels"]["millrace/revision"] == A[:12]


def test_a_server_asks_for_what_our_runtime_says_and_no_more(pod):
    (server,) = pod["spec"]["containers"]
    assert server["resources"] == {
        "requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"},
    }  # fmt: skip
    assert server["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert server["lifecycle"]["preStop"]["sleep"]["seconds"] == 5
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}} in pod["spec"]["volumes"]


@pytest.mark.parametrize(
    "field", ["allowPrivilegeEscalation", "capabilities", "runAsNonRoot", "seccompProfile"]
)
def test_a_server_without_any_of_these_is_refused(installed, pod, field):
    del pod["spec"]["containers"][0]["securityContext"][field]
    answer = installed.create_pod(pod)
    assert 'violates PodSecurity "restricted:latest"' in answer.error
    assert field in answer.error


def test_knative_is_given_the_same_server(target_of, played):
    release(target_of(kserve={"mode": "Knative"}), A)
    template = played.ask("GET", f"{SERVICES}/flights-predictor")["spec"]["template"]
    (server,) = template["spec"]["containers"]
    assert server["securityContext"]["runAsNonRoot"]
    assert len(server["ports"]) == 1

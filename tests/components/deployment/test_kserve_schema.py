"""What a cluster understands, from what KServe's definitions have at 0.19, 0.20 and 0.21, and addresses."""

import pytest

from components.common.errors import BadInputError
from components.deployment.kserve_addresses import Addresses
from components.deployment.kserve_config import KServeConfig
from components.deployment.kserve_schema import require_canary, require_mode

STANDARD, KNATIVE = KServeConfig(), KServeConfig(mode="Knative")


class Published:
    """A cluster that publishes schemas, and nothing else."""

    host = "https://cluster.example"

    def __init__(self, *fields, gateway=True, knative=True, kserve=True, keda=False):
        self._fields = fields
        optional = {
            "apis/gateway.networking.k8s.io/v1": gateway,
            "apis/serving.knative.dev/v1": knative,
            "apis/serving.kserve.io/v1beta1": kserve,
            "apis/keda.sh/v1alpha1": keda,
        }
        groups = ["apis/serving.kserve.io/v1alpha1", *(name for name, there in optional.items() if there)]
        self._paths = {name: {"serverRelativeURL": f"/openapi/v3/{name}?hash=1"} for name in groups}

    def read(self, path):
        if path == "/openapi/v3":
            return {"paths": self._paths}
        kind = "InferenceService" if path.endswith("v1beta1") else "ServingRuntime"
        names = [name for name in self._fields if (name == "resourceClaims") == (kind == "ServingRuntime")]
        predictor = {"properties": {"canaryTrafficPercent": {}, "model": {}}}
        spec = {"properties": {"predictor": predictor, **{name: {} for name in names}}}
        return {"components": {"schemas": {f"io.kserve.serving.{kind}": {"properties": {"spec": spec}}}}}


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (Published(), r"before 0\.20 .* no field `spec\.canary`"),
        (Published("canary"), r"KServe 0\.20 .*`trafficPercent`"),
        (Published("canary", "resourceClaims", gateway=False), "no gateway"),
    ],
)
def test_a_canary_that_standard_would_not_honour_is_refused_by_field_mode_and_version(cluster, told):
    with pytest.raises(BadInputError, match=f"{told}.*strategy: replace") as caught:
        require_canary(cluster, STANDARD)
    assert "Standard" in str(caught.value)
    require_canary(cluster, KNATIVE)


def test_a_canary_of_standard_is_taken_by_021_with_a_gateway():
    require_canary(Published("canary", "resourceClaims"), STANDARD)


def test_a_cluster_without_what_a_mode_stands_on_is_refused():
    with pytest.raises(BadInputError, match="has no KServe"):
        require_mode(Published(kserve=False), STANDARD)
    with pytest.raises(BadInputError, match="no Knative Serving"):
        require_mode(Published(knative=False), KNATIVE)
    require_mode(Published(knative=False), STANDARD)
    with pytest.raises(BadInputError, match=r"no KEDA.*autoscaler: hpa"):
        require_mode(Published(), KServeConfig(autoscaler="keda"))
    require_mode(Published(keda=True), KServeConfig(autoscaler="keda"))


INSIDE = "http://flights-predictor.serving.svc.cluster.local"
STATUS = {
    "url": "http://flights-serving.example.com",
    "address": {"url": INSIDE},
    "components": {
        "predictor": {
            "traffic": [{"tag": "prev", "url": "http://prev-flights.example.com"}, {"latestRevision": True}]
        }
    },
}


def test_addresses_inside_are_those_of_services():
    found, end = Addresses("flights", is_external=False), "/v2/models/flights/infer"
    assert found.all(STATUS) == f"{INSIDE}{end}"
    assert found.of(STATUS, None) == f"{INSIDE}{end}"
    assert found.of(STATUS, "rab") == f"http://flights-rab-predictor.serving.svc.cluster.local{end}"
    assert (
        found.tagged(STATUS, "latest") == f"http://latest-flights-predictor.serving.svc.cluster.local{end}"
    )
    assert found.all({}) is None
    assert found.grpc(found.of(STATUS, "rab")) is None
    asked = Addresses("flights", is_external=False, grpc_port=9000)
    assert asked.grpc(asked.of(STATUS, "rab")) == "flights-rab-predictor.serving.svc.cluster.local:9000"
    assert asked.grpc(None) is None


def test_addresses_by_the_gateway_are_those_that_kserve_tells():
    found, end = Addresses("flights", is_external=True), "/v2/models/flights/infer"
    assert found.all(STATUS) == f"http://flights-serving.example.com{end}"
    assert found.of(STATUS, "rab") is None
    assert found.tagged(STATUS, "prev") == f"http://prev-flights.example.com{end}"
    assert found.tagged(STATUS, "latest") is None

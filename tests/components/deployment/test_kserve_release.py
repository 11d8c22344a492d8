"""What the target `kserve` writes and reads, without a cluster; tests/cluster has a real one."""

import json
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from components.common.config import build_config
from components.common.errors import BadInputError, UnavailableError
from components.deployment.config import DeployConfig
from components.deployment.kserve_config import KServeConfig
from components.deployment.kserve_document import predictor, storage_uri
from components.deployment.kserve_tally import tallies
from components.deployment.kserve_words import explain
from components.deployment.manifest import write_manifest
from components.deployment.target import Wanted
from tests.loopback import Answering, listening

WANTED = Wanted(
    name="flights", revision="a" * 12, model_uri="s3://bucket/model", model_digest="a" * 64,
    data_version="d" * 64, run_id="run-1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("minio://mlpipeline/v2/artifacts/m", "s3://mlpipeline/v2/artifacts/m"),
        ("s3://bucket/m", "s3://bucket/m"),
        ("gs://bucket/m", "gs://bucket/m"),
        ("pvc://claim/m", "pvc://claim/m"),
    ],
)
def test_a_store_is_named_as_kserve_reads_it(given, read):
    assert storage_uri(given) == read


@pytest.mark.parametrize(
    ("engine", "runtime"), [("twin", "own"), ("tensorflow", "own-tensorflow"), ("auto", "own-tensorflow")]
)
def test_runtime_without_tensorflow_is_named_for_a_proven_twin_alone(engine, runtime):
    described = predictor(replace(WANTED, engine=engine), KServeConfig(runtime="own"))
    assert described["model"]["runtime"] == runtime


@pytest.mark.parametrize("given", ["/home/me/model", "file:///m", "ftp://host/m"])
def test_a_place_that_pods_do_not_reach_is_refused(given):
    with pytest.raises(BadInputError, match="cannot fetch the model"):
        storage_uri(given)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mode": "RawDeployment"}, "mode in"),
        ({"min_replicas": 0}, "min_replicas >= 1"),
        ({"max_replicas": 0}, "max_replicas >= min_replicas"),
        ({"scale_metric": "rps"}, "scale_metric in"),
        ({"scale_metric": "memory"}, "memory` needs a `scale_target`"),
        ({"mode": "Knative", "autoscaler": "keda"}, "`autoscaler` is for the mode Standard"),
        ({"prometheus": "prometheus:9090"}, "prometheus"),
        ({"grpc_port": 0}, "1 <= grpc_port"),
        ({"grpc_port": "9000"}, "grpc_port"),
        ({"grpc_port": 9000, "mode": "Knative"}, "`grpc_port` is for"),
        ({"grpc_port": 9000, "address": "external"}, "`grpc_port` is for"),
        ({"namespce": "x"}, "did you mean `namespace`"),
        ({"namespace": "A"}, "name of Kubernetes"),
    ],
)
def test_knobs_that_cannot_be_are_told_before_a_run(options, told):
    with pytest.raises(BadInputError, match=told):
        build_config(DeployConfig, {"kserve": options}, where="deploy")


def test_a_manifest_is_the_same_bytes_again_and_says_what_it_is_of(tmp_path):
    config = DeployConfig(target="manifest", kserve={"scale_metric": "cpu", "scale_target": 70})
    first = write_manifest(tmp_path / "a", WANTED, config).read_bytes()
    assert write_manifest(tmp_path / "b", WANTED, config).read_bytes() == first
    written = yaml.safe_load(first)
    assert written["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    predictor = written["spec"]["predictor"]
    assert predictor["annotations"]["millrace/model-digest"] == "a" * 64
    assert predictor["annotations"]["millrace/data-version"] == "d" * 64
    assert predictor["annotations"]["millrace/run-id"] == "run-1"
    assert (predictor["scaleMetric"], predictor["scaleTarget"]) == ("cpu", 70)


@pytest.mark.parametrize("data_version", ["d" * 64, None])
def test_a_manifest_of_the_same_model_keeps_the_run_the_place_and_the_data_that_it_names(
    tmp_path, data_version
):
    config, wanted = DeployConfig(target="manifest"), replace(WANTED, data_version=data_version)
    first = write_manifest(tmp_path, wanted, config).read_bytes()
    again = replace(WANTED, run_id="run-2", model_uri="minio://mlpipeline/run-2", data_version="e" * 64)
    assert write_manifest(tmp_path, again, config).read_bytes() == first
    other = replace(WANTED, model_digest="b" * 64, run_id="run-2")
    written = yaml.safe_load(write_manifest(tmp_path, other, config).read_bytes())
    assert written["spec"]["predictor"]["annotations"]["millrace/run-id"] == "run-2"


@pytest.mark.parametrize("broken", [b"", b"a: [", b"spec: {predictor: 1}", b"\xff"])
def test_a_file_that_is_no_manifest_of_ours_is_written_over(tmp_path, broken):
    config = DeployConfig(target="manifest")
    wanted = write_manifest(tmp_path / "new", WANTED, config).read_bytes()
    (tmp_path / "inference_service.yaml").write_bytes(broken)
    assert write_manifest(tmp_path, WANTED, config).read_bytes() == wanted


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"strategy": "ab"}, r"deploy\.strategy"),
        ({"sticky": "X-User"}, r"deploy\.sticky"),
        ({"steps": [5, 100]}, r"no steps.*deploy\.steps.*5, 100"),
    ],
)
def test_a_manifest_has_no_shares_and_refuses_them_by_their_knob(tmp_path, knobs, told):
    with pytest.raises(BadInputError, match=told):
        write_manifest(tmp_path, WANTED, DeployConfig(target="manifest", **knobs))
    assert list(tmp_path.iterdir()) == []


def test_a_reason_is_told_in_plain_words():
    found = {
        "metadata": {"name": "flights"},
        "status": {
            "modelStatus": {
                "transitionStatus": "BlockedByFailedLoad",
                "lastFailureInfo": {
                    "reason": "ModelLoadFailed",
                    "exitCode": 2,
                    "message": "error: digest\n",
                },
            },
            "conditions": [
                {"type": "PredictorReady", "status": "False", "reason": "ProgressDeadlineExceeded"},
                {"type": "IngressReady", "status": "True"},
            ],
        },
    }
    events = [
        {"type": "Warning", "reason": "FailedCreate", "message": "exceeded quota", "lastTimestamp": "2",
         "involvedObject": {"kind": "ReplicaSet", "name": "flights-predictor-7"}},
        {"type": "Warning", "reason": "Other", "message": "of another", "lastTimestamp": "3",
         "involvedObject": {"kind": "Pod", "name": "prices-predictor-7"}},
        {"type": "Normal", "reason": "Scaled", "message": "up", "lastTimestamp": "4",
         "involvedObject": {"kind": "ReplicaSet", "name": "flights-predictor-7"}},
    ]  # fmt: skip
    assert explain(found, events) == (
        "the model did not load; the container that fetches or serves the model ended with an error "
        "(ModelLoadFailed, exit code 2): error: digest; "
        "PredictorReady is not so (ProgressDeadlineExceeded); FailedCreate: exceeded quota"
    )


NEW = {"millrace_revision": "new", "pod": "new-1"}
OLD = {"millrace_revision": "old", "pod": "old-1"}


@pytest.fixture
def prometheus():
    """Prometheus's answers to instant queries, in the form of its API."""
    told = {
        "requests_total": [({**NEW, "code": "200"}, 90),
                           ({**NEW, "code": "503"}, 10),
                           ({**OLD, "code": "200"}, 100),
                           ({**NEW, "pod": "new-2", "code": "200"}, 5),
                           ({"code": "200"}, 7)],
        "request_seconds_bucket": [({**NEW, "le": le}, count)
                                   for le, count in (("0.1", 60), ("+Inf", 100), ("0.5", 95))],
        "predictions_bucket": [
            ({**NEW, "output": "p", "class": "late", "le": le}, count)
            for le, count in (("0.5", 30), ("1", 40), ("+Inf", 40))
        ] + [({**NEW, "pod": "new-3", "output": "p", "class": "late", "le": "+Inf"}, 0)],
    }  # fmt: skip

    class Handler(Answering):
        def answer(self):
            query = parse_qs(urlsplit(self.path).query)["query"][0]
            assert query.startswith("sum by (millrace_revision, pod, ")
            assert '{namespace="n",serving_kserve_io_inferenceservice="flights"}' in query
            series = next(rows for name, rows in told.items() if f"millrace_{name}{{" in query)
            result = [{"metric": labels, "value": [1.0, str(count)]} for labels, count in series]
            body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})
            self.send(200, body.encode())

    with listening(Handler) as address:
        yield SimpleNamespace(address=address, told=told)


def test_counts_of_each_pod_of_each_revision_come_from_prometheus(prometheus):
    found = tallies(prometheus.address, "n", "flights")
    assert {revision: sorted(pods) for revision, pods in found.items()} == {
        "new": ["new-1", "new-2", "new-3"], "old": ["old-1"]
    }  # fmt: skip
    new, second, idle, old = (*(found["new"][f"new-{pod}"] for pod in (1, 2, 3)), found["old"]["old-1"])
    assert [(each.requests, each.errors) for each in (new, second, idle, old)] == [
        (100, 10), (5, 0), (0, 0), (100, 0)
    ]  # fmt: skip
    assert (new.seconds.bounds, new.seconds.counts) == ((0.1, 0.5), (60, 35, 5))
    assert new.predictions["p/late"].counts == (30, 10, 0)
    assert idle.predictions["p/late"].counts == (0,)


def test_a_count_that_is_no_number_is_not_counted_as_one(prometheus):
    prometheus.told["requests_total"][0] = ({**NEW, "code": "200"}, "NaN")
    with pytest.raises(UnavailableError, match="what is no number"):
        tallies(prometheus.address, "n", "flights")


def test_a_prometheus_that_is_away_is_said_so():
    with pytest.raises(UnavailableError, match="Prometheus does not answer"):
        tallies("http://127.0.0.1:9", "n", "flights")

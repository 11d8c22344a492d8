"""What a server tells of itself: metrics, log and metadata, and no payload in any."""

import json
import urllib.request

import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from prometheus_client.parser import text_string_to_metric_families

from components.serving.metrics import ServingMetrics
from tests.tiny_model import ROWS, V1, v2_body


def metrics(server_url):
    with urllib.request.urlopen(f"{server_url}/metrics") as response:  # noqa: S310 - loopback
        families = text_string_to_metric_families(response.read().decode())
    return {
        (
            sample.name,
            *(sample.labels.get(key) for key in ("protocol", "code", "input", "kind", "le")),
        ): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("millrace_")
    }


def test_metrics_count_requests_predictions_and_anomalies(server_url, ask):
    """Read by Prometheus's own parser; one revision a process."""
    before = metrics(server_url)
    ask(V1, {"instances": [{"seats": 2}, {"seats": 2, "age": 1}]})
    ask(V1, {"instances": [{"seats": "two"}]})
    after = metrics(server_url)
    grown = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}
    assert grown["millrace_requests_total", "v1", "200", None, None, None] == 1
    assert grown["millrace_requests_total", "v1", "400", None, None, None] == 1
    assert grown["millrace_input_anomalies_total", None, None, "seats", "refused", None] == 1
    assert grown["millrace_input_anomalies_total", None, None, "age", "missing", None] == 1
    assert grown["millrace_predictions_bucket", None, None, None, None, "+Inf"] == 2
    assert grown["millrace_request_seconds_count", "v1", None, None, None, None] == 2


def test_histograms_are_whole_in_prometheus_own_parser():
    """Against NumPy's counts; names are escaped, and each family has its type and its sum."""
    model, values = 'the "best"\\model\n', np.float32([[-3.5], [0.0], [0.007], [12.0], [2e9]])
    server = ServingMetrics(model, "r", "twin", [{"name": "price", "shape": [-1, 1], "classes": ["x"]}])
    for protocol, seconds in (("v2", 0.0034), ("v1", 0.2), ("v2", 100.0)):
        server.count_request(protocol, "200", seconds)
    server.count_answer({}, {"price": values})
    told = {each.name: each for each in text_string_to_metric_families(server.exposition().decode())}
    predictions, seconds = (told[f"millrace_{name}"] for name in ("predictions", "request_seconds"))
    assert (predictions.type, seconds.type) == ("histogram", "histogram")
    assert {sample.labels["model"] for sample in predictions.samples} == {model}
    for sample in predictions.samples:
        labels = sample.labels
        assert (labels["revision"], labels["output"], labels["class"]) == ("r", "price", "x")
        expected = {"_bucket": lambda le: (values <= float(le)).sum(), "_count": lambda _: 5,
                    "_sum": lambda _: pytest.approx(values.sum(dtype=np.float64))}  # fmt: skip
        kind = sample.name.removeprefix("millrace_predictions")
        assert sample.value == expected[kind](labels.get("le")), sample
    by_protocol = {
        (sample.labels["protocol"], sample.name[-6:]): sample.value
        for sample in seconds.samples
        if "le" not in sample.labels
    }
    assert by_protocol == {
        ("v1", "_count"): 1, ("v1", "ds_sum"): 0.2, ("v2", "_count"): 2, ("v2", "ds_sum"): 100.0034
    }  # fmt: skip


def test_log_is_json_and_holds_no_payload(server_url, server_log, ask):
    ask(V1, {"instances": [{"seats": "the-secret"}]})
    ask("/v2/models/the-secret/infer", v2_body(ROWS))
    text = server_log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert {"time", "level", "logger", "event"} <= set(lines[0])
    assert "model is loaded" in [line["event"] for line in lines]
    assert "the-secret" not in text
    unknown = [
        line
        for line in text.splitlines()
        if not line.startswith(("{", "WARNING", "I0000", "E0000", "W0000"))
    ]
    assert unknown == []


def test_metadata_metrics_and_log_say_what_computes(ask, stub, engine, server_url, server_log):
    """The platform is PROJECT_FORMAT in the Open Inference Protocol, which has a name for a SavedModel."""
    described = ask("/v2/models/tiny")[1]
    told = described["parameters"]
    assert told["engine"] == engine
    assert ("reason" in told) == (engine == "tensorflow")
    platform = {"twin": "millrace_twin", "tensorflow": "tensorflow_savedmodel"}[engine]
    by_grpc = stub.ModelMetadata(messages.ModelMetadataRequest(name="tiny"))
    assert (described["platform"], by_grpc.platform) == (platform, platform)
    assert (described["versions"], list(by_grpc.versions)) == (["1"], ["1"])
    with urllib.request.urlopen(f"{server_url}/metrics") as response:  # noqa: S310 - loopback
        assert f'engine="{engine}"' in response.read().decode()
    lines = [json.loads(line) for line in server_log.read_text().splitlines() if line.startswith("{")]
    assert [line["engine"] for line in lines if line["event"] == "model is loaded"] == [engine]


def test_metadata_names_inputs_and_outputs(ask):
    answer = ask("/v2/models/tiny")[1]
    assert [entry["name"] for entry in answer["inputs"]] == ["age", "seats", "carrier"]
    assert answer["outputs"] == [
        {
            "name": "probability", "datatype": "FP32", "shape": [-1],
            "parameters": {"classes": ["0", "1"]},
        }
    ]  # fmt: skip
    assert answer["inputs"][1]["parameters"] == {"kind": "integer", "optional": False}
    assert ask("/v2/health/ready") == (200, {"ready": True})

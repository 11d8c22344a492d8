"""The real server on a real SavedModel; answers are held against the formula in Python floats."""

import asyncio
import json
import math
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import grpc
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub
from kserve.protocol.infer_type import InferInput, InferRequest, InferResponse
from prometheus_client.parser import text_string_to_metric_families

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING
from components.common.errors import BadInputError
from components.common.golden import read_golden_requests
from components.common.seal import seal_model
from components.common.twin.choose import Choice
from components.serving.binary import read_binary
from components.serving.config import ServingConfig
from components.serving.engine import load_engine
from components.serving.load import load_model
from components.serving.rest import RestApplication
from components.serving.service import Service
from tests.tiny_model import ROWS, SIGNATURE, expected_probability, v2_body, write_tiny_model


def test_one_row_is_answered_in_the_form_of_the_protocol(ask):
    status, answer = ask("/v2/models/tiny/infer", {"id": "mine", **v2_body(ROWS[:1])})
    assert status == 200
    assert list(answer) == ["model_name", "id", "outputs"]
    assert (answer["model_name"], answer["id"]) == ("tiny", "mine")
    (output,) = answer["outputs"]
    assert output == {
        "name": "probability", "datatype": "FP32", "shape": [1],
        "data": pytest.approx([expected_probability(ROWS[0])], rel=1e-6),
    }  # fmt: skip


def test_both_protocols_answer_equally_and_as_the_formula(ask):
    v2 = ask("/v2/models/tiny/infer", v2_body(ROWS))[1]["outputs"][0]["data"]
    v1 = ask("/v1/models/tiny:predict", {"instances": ROWS})[1]["predictions"]
    assert v1 == v2
    assert v2 == pytest.approx([expected_probability(row) for row in ROWS], rel=1e-6)


def test_content_type_of_curl_is_taken(ask):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask("/v2/models/tiny/infer", v2_body(ROWS), headers=headers)[0] == 200


def test_ten_thousand_rows_are_answered_and_one_more_is_refused(ask):
    assert ask("/v1/models/tiny:predict", {"instances": ROWS[:1] * 10_000})[0] == 200
    status, answer = ask("/v1/models/tiny:predict", {"instances": ROWS[:1] * 10_001})
    assert status == 400
    assert "10000 rows" in answer["error"]


V2, V1 = "/v2/models/tiny/infer", "/v1/models/tiny:predict"
WRONG = {
    "no JSON": (V2, b"{", 400, "line 1"),
    "NaN": (V1, b'{"instances": [{"seats": NaN}]}', 400, "null"),
    "bytes that are no UTF-8": (V1, b'{"instances": [{"carrier": "\xff"}]}', 400, "JSON"),
    "a number": (V2, b"1", 400, "request"),
    "empty body": (V1, b"", 400, "JSON"),
    "wrong type": (V1, {"instances": [{"seats": "two"}]}, 400, "`seats`"),
    "unknown field": (V1, {"instances": [{"seats": 2, "agee": 1}]}, 400, "`age`"),
    "missing field": (V1, {"instances": [{"age": 1}]}, 400, "`seats`"),
    "another method": ("/v2/models/tiny", {}, 405, "not allowed"),
    "empty row": (V1, {"instances": [{}]}, 400, "instances[0]"),
    "unknown output": (V2, {**v2_body(ROWS), "outputs": [{"name": "x"}]}, 400, "`x`"),
    "outputs of another form": (V2, {**v2_body(ROWS), "outputs": 1}, 400, "`outputs`"),
    "unknown model": ("/v2/models/other/infer", v2_body(ROWS), 404, "other"),
    "unknown model in v1": ("/v1/models/other:predict", {"instances": ROWS}, 404, "other"),
    "unknown model's metadata": ("/v2/models/other", None, 404, "other"),
    "unknown address": ("/v3", None, 404, "not found"),
    "unload, which kserve offers": ("/v2/repository/models/tiny/unload", {}, 404, "not found"),
    "body over the limit": (V2, b" " * (ServingConfig().max_body_bytes + 1), 413, "larger"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_request_is_answered_with_a_short_error(ask, case):
    path, body, status, told = WRONG[case]
    got, answer = ask(path, body)
    assert got == status, answer
    assert set(answer) <= {"error", "input", "row"}
    assert told in answer["error"]
    assert "Error" not in answer["error"]
    assert len(answer["error"]) < 300


def test_refused_value_is_told_by_input_and_row(ask):
    wrong = [*ROWS, {"seats": "two"}]
    answer = ask(V1, {"instances": wrong})[1]
    assert (answer["input"], answer["row"]) == ("seats", len(ROWS))


def binary_request(rows, *, binary_output):
    """The rows as kserve's own client sends them: all tensors as bytes behind the JSON."""
    inputs = []
    for entry in SIGNATURE.inputs:
        kind = {"FP32": np.float32, "INT64": np.int64, "BYTES": np.object_}[entry["datatype"]]
        missing = {"FP32": np.nan, "INT64": MISSING_INTEGER, "BYTES": MISSING_STRING}[entry["datatype"]]
        given = [missing if row[entry["name"]] is None else row[entry["name"]] for row in rows]
        values = np.array([each.encode() if isinstance(each, str) else each for each in given], kind)
        tensor = InferInput(entry["name"], [len(rows)], entry["datatype"])
        tensor.set_data_from_numpy(values)
        inputs.append(tensor)
    parameters = {"binary_data_output": True} if binary_output else None
    return InferRequest("tiny", inputs, parameters=parameters)


def test_binary_tensors_are_answered_as_json_is(server_url, ask):
    wanted = ask(V2, v2_body(ROWS))[1]["outputs"][0]["data"]
    for binary_output in (True, False):
        body, size = binary_request(ROWS, binary_output=binary_output).to_rest()
        headers = {"Inference-Header-Content-Length": str(size)}
        request = urllib.request.Request(server_url + V2, body, headers)  # noqa: S310 - loopback
        with urllib.request.urlopen(request) as response:  # noqa: S310 - loopback
            length = response.headers.get("Inference-Header-Content-Length")
            assert (length is not None) == binary_output
            content = response.read()
        answer = InferResponse.from_bytes(content, int(length or len(content)))
        assert answer.outputs[0].as_numpy().tolist() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("length", ["x", "-1", "99999", ""])
def test_wrong_length_of_the_json_is_refused(ask, length):
    status, answer = ask(V2, v2_body(ROWS), headers={"Inference-Header-Content-Length": length})
    assert (status, list(answer)) == (400, ["error"])


def grpc_request(rows, *, raw):
    """The rows by kserve's own converter, or with values in typed lists."""
    request = binary_request(rows, binary_output=False).to_grpc()
    if raw:
        return request
    fields = {"FP32": "fp32_contents", "INT64": "int64_contents", "BYTES": "bytes_contents"}
    for place, tensor in enumerate(request.inputs):
        values = read_binary(request.raw_input_contents[place], tensor.datatype, tensor.name)
        missing = {"FP32": math.nan, "INT64": MISSING_INTEGER, "BYTES": b"\0"}[tensor.datatype]
        given = [missing if v is None else v.encode() if isinstance(v, str) else v for v in values]
        getattr(tensor.contents, fields[tensor.datatype]).extend(given)
    del request.raw_input_contents[:]
    return request


@pytest.fixture(scope="module")
def stub(grpc_address):
    with grpc.insecure_channel(grpc_address) as channel:
        yield GRPCInferenceServiceStub(channel)


@pytest.mark.parametrize("raw", [True, False])
def test_grpc_answers_as_json_does(ask, stub, raw):
    wanted = ask(V2, v2_body(ROWS))[1]["outputs"][0]["data"]
    answer = InferResponse.from_grpc(stub.ModelInfer(grpc_request(ROWS, raw=raw)))
    assert answer.outputs[0].as_numpy().tolist() == pytest.approx(wanted, rel=1e-6)
    assert bool(stub.ModelInfer(grpc_request(ROWS, raw=raw)).raw_output_contents) == raw


def test_grpc_refuses_by_name_and_neither_loads_nor_unloads(stub):
    assert stub.ServerReady(messages.ServerReadyRequest()).ready
    assert stub.ServerLive(messages.ServerLiveRequest()).live
    assert stub.ModelReady(messages.ModelReadyRequest(name="tiny")).ready
    assert not stub.ModelReady(messages.ModelReadyRequest(name="other")).ready
    assert len(stub.ModelMetadata(messages.ModelMetadataRequest(name="tiny")).inputs) == 3
    wrong = grpc_request(ROWS, raw=True)
    wrong.inputs[1].datatype = "FP32"
    unknown = grpc_request(ROWS, raw=True)
    unknown.model_name = "other"
    short = grpc_request(ROWS, raw=True)
    del short.raw_input_contents[0]
    for request, code, told in (
        (wrong, "INVALID_ARGUMENT", "`datatype` must be INT64 — input `seats`"),
        (unknown, "NOT_FOUND", "unknown model"),
        (short, "INVALID_ARGUMENT", "raw_input_contents"),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            stub.ModelInfer(request)
        assert (refused.value.code().name, told in refused.value.details()) == (code, True)
    with pytest.raises(grpc.RpcError) as refused:
        stub.RepositoryModelUnload(messages.RepositoryModelUnloadRequest(model_name="tiny"))
    assert refused.value.code().name == "UNIMPLEMENTED"


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


def test_slow_clients_are_refused_and_hold_nobody(model_folder):
    """The application itself, with a client that sends half a body and no more."""
    model = load_model(model_folder, "tiny")
    application = RestApplication(Service(model), ServingConfig(body_timeout_seconds=0.05))
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        if not sent:
            sent.append(None)
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(9)

    scope = {"type": "http", "method": "POST", "path": V2, "headers": []}
    asyncio.run(application(scope, receive, send))
    assert sent[1]["status"] == 408


def test_client_that_never_ends_its_head_is_cut_off(model_folder):
    """A server of its own in a process of its own, since its times are for tests."""
    code = (
        "import sys, pathlib\nfrom components.serving.config import ServingConfig\n"
        "from components.serving.load import load_model\nfrom components.serving.run import start_server\n"
        "model = load_model(pathlib.Path(sys.argv[1]), 'tiny')\n"
        "config = ServingConfig(body_timeout_seconds=0.3)\n"
        "start_server(model, host='127.0.0.1', port=int(sys.argv[2]), grpc_port=None, config=config)\n"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", code, str(model_folder), str(port)])
    try:
        deadline = time.monotonic() + 90
        while (connection := socket.socket()).connect_ex(("127.0.0.1", port)):
            connection.close()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with connection:
            connection.settimeout(30)
            connection.sendall(b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: x\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
            assert connection.recv(1000) == b""
    finally:
        process.terminate()
        process.wait(30)


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


def test_model_that_could_do_more_than_compute_is_never_loaded(tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    folder = write_tiny_model(tmp_path / "model")
    file = folder / "1" / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    model.meta_graphs[0].graph_def.library.function[0].node_def.add(name="x", op="ReadFile")
    file.write_bytes(model.SerializeToString())
    seal_model(folder)
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "components.serving.server",
        "--model",
        str(folder),
    ]
    ended = subprocess.run(
        [*command, "--name", "tiny", "--port", "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "operation `ReadFile` is not allowed" in ended.stderr.splitlines()[-1]
    assert "| tensorflow" not in ended.stderr  # it was not even imported


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


def test_numbers_at_the_edges_of_float32_are_refused_by_input_and_row(ask):
    """Denormals too: some engines take them for 0."""
    for number, told in (
        (1e39, "too large"),
        (-1e39, "too large"),
        (1e-39, "too small"),
        (-1e-45, "too small"),
    ):
        status, answer = ask(V1, {"instances": [{"seats": 1}, {"seats": 1, "age": number}]})
        assert (status, answer["input"], answer["row"]) == (400, "age", 1)
        assert told in answer["error"]
    assert ask(V1, {"instances": [{"seats": 1, "age": 1.2e-38}, {"seats": 1, "age": -0.0}]})[0] == 200


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


def test_changed_byte_is_refused_before_anything_is_loaded(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record))
    command = [sys.executable, "-m", "components.serving.server", "--model", str(folder), "--name", "tiny"]
    ended = subprocess.run(
        [*command, "--port", "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "model.json" in ended.stderr.splitlines()[-1]
    assert "tensorflow" not in ended.stderr


def test_folder_without_a_saved_model_is_refused_by_name(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(BadInputError, match="SavedModel"):
        load_engine(tmp_path, Choice(engine="tensorflow"))


def test_engine_answers_the_golden_requests(model_folder):
    assert load_model(model_folder, "tiny").name == "tiny"
    assert len(read_golden_requests(model_folder)) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_rows": 0},
        {"max_body_bytes": 1},
        {"body_timeout_seconds": 0.0},
        {"max_concurrent": 0},
        {"drain_seconds": 0},
    ],
)
def test_impossible_limits_are_refused_with_their_value(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}.*must hold, but got"):
        ServingConfig(**wrong)

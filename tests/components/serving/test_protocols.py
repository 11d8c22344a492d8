"""Binary tensors and gRPC are answered as JSON is, and refused by name."""

import math
import urllib.request

import grpc
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
from kserve.protocol.infer_type import InferInput, InferRequest, InferResponse

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING
from components.serving.binary import read_binary
from tests.tiny_model import ROWS, SIGNATURE, V2, v2_body


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

"""Requests by all protocols to both engines: equal answers, and errors that are equal to the word."""

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from kserve.protocol.infer_type import InferInput, InferRequest, InferResponse

from components.common.artifacts import MISSING_INTEGER, Signature
from components.common.errors import UnavailableError
from components.common.saved_models import load_serving
from components.common.twin.choose import Choice
from components.common.twin.program import write_program
from components.serving.binary import read_binary
from components.serving.config import ServingConfig
from components.serving.expected import Expected
from components.serving.grpc_service import GrpcService
from components.serving.load import LoadedModel
from components.serving.rest import RestApplication
from components.serving.service import Service
from components.serving.tensorflow_engine import TensorFlowEngine
from components.serving.twin_engine import TwinEngine
from components.training.twin.derive import derive_program
from pipelines.local.serving.predict import predict_by_model

INPUTS = {"age": "FP32", "size": "FP32", "seats": "INT64", "amount": "BYTES"}
KINDS = {"FP32": "float", "INT64": "integer", "BYTES": "string"}
SIGNATURE = Signature(
    inputs=[
        {"name": name, "kind": KINDS[datatype], "datatype": datatype, "optional": name in ("age", "amount")}
        for name, datatype in INPUTS.items()
    ],
    outputs=[{"name": "prediction", "datatype": "FP32", "shape": [-1]}],
)
LIMITS = ServingConfig(max_rows=50)


def save(folder):
    """Write a model that has no answer to an amount that is no number, and an infinite one to no seats."""
    types = {"FP32": tf.float32, "INT64": tf.int64, "BYTES": tf.string}

    def serve(age, size, seats, amount):
        known = tf.where(tf.math.is_nan(age), 0.0, age)
        paid = tf.strings.to_number(tf.where(amount == "\0", "0", amount))
        return {"prediction": known * 0.1 + size / tf.cast(seats, tf.float32) + paid}

    module = tf.Module()
    places = [tf.TensorSpec([None], types[datatype], name) for name, datatype in INPUTS.items()]
    module.serve = tf.function(serve, input_signature=places)
    tf.saved_model.save(module, str(folder / "1"), {"serving_default": module.serve})
    (folder / "twin").mkdir()
    write_program(folder / "twin", derive_program(load_serving(folder / "1").model, SIGNATURE))


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    save(folder)
    engines = {"twin": TwinEngine(folder / "twin"), "tensorflow": TensorFlowEngine(folder / "1")}
    expected = Expected(ranges={"age": (0.0, 9.0)}, values={})
    return {
        name: Service(LoadedModel(name="m", revision="r", signature=SIGNATURE, expected=expected,
                                  engine=engine, choice=Choice(engine=name)))
        for name, engine in engines.items()
    }  # fmt: skip


def tensors(rows=3, **changed):
    """Columns as lists by name, None where a value is missing; a changed one replaces its column."""
    plain = {"age": [1.5, None, -3.25], "size": [2.0, 4.0, 8.0], "seats": [2, 1, -4],
             "amount": ["7", None, "-1.5"]}  # fmt: skip
    columns = {name: (values * rows)[:rows] for name, values in plain.items()} | changed
    return {name: values for name, values in columns.items() if values is not None}


GOOD, BAD, OURS = 200, 400, 500
CASES = {
    "three rows": (tensors(), GOOD, ""),
    "one row": (tensors(1), GOOD, ""),
    "as many as may be": (tensors(50), GOOD, ""),
    "optional input left out": (tensors(age=None), GOOD, ""),
    "required input left out": (tensors(seats=None), BAD, "input `seats`"),
    "required whole number missing": (tensors(seats=[2, None, 1]), BAD, "input `seats`, row 1"),
    "required float missing, or NaN": (tensors(size=[2.0, 1.0, None]), BAD, "input `size`, row 2"),
    "infinite": (tensors(age=[1.0, 1e39, 0.0]), BAD, "too large for FP32 — input `age`, row 1"),
    "denormal": (tensors(age=[1e-40, 1.0, 0.0]), BAD, "too small for FP32, and not 0 — input `age`, row 0"),
    "zeros of all kinds": (tensors(age=[0, -0.0, 0.0]), GOOD, ""),
    "smallest and largest": (tensors(age=[1.2e-38, 3.4e38, -3.4e38]), GOOD, ""),
    "unknown input": (tensors(agee=[1.0, 2.0, 3.0]), BAD, "`age`"),
    "no rows": (tensors(0), BAD, "1 to 50 rows"),
    "too many rows": (tensors(51), BAD, "1 to 50 rows"),
    "text that is no number": (tensors(amount=["7", "seven", "1"]), OURS, "its log has the reason"),
    "no finite answer": (tensors(seats=[1, 0, 1]), OURS, "its log has the reason"),
}  # fmt: skip
TENSORS_ONLY = {
    "another datatype": (lambda sent: setattr(sent[2], "datatype", "FP32"), "must be INT64"),
    "another shape": (lambda sent: setattr(sent[1], "shape", [4]), "[3] or [3, 1]"),
    "a matrix": (lambda sent: setattr(sent[1], "shape", [1, 3]), "[3] or [3, 1]"),
    "given twice": (lambda sent: sent.append(sent[0]), "given twice — input `age`"),
    "lengths that differ": (
        lambda sent: vars(sent[1]).update(values=[1.0], shape=[1]),
        "must have 3 values",
    ),
    "no tensors": (lambda sent: sent.clear(), "1 to 50 rows"),
}


def listed(columns):
    """The columns as tensors that can be spoilt."""
    return [
        SimpleNamespace(name=name, datatype=INPUTS.get(name, "FP32"), shape=[len(values)], values=values)
        for name, values in columns.items()
    ]


def packed(tensor):
    """The tensor by kserve's own client, with markers in the place of missing values."""
    types = {"FP32": np.float32, "INT64": np.int64, "BYTES": np.object_}
    kind = INPUTS.get(tensor.name, "FP32")
    missing = {"FP32": np.nan, "INT64": MISSING_INTEGER, "BYTES": "\0"}[kind]
    given = [missing if value is None else value for value in tensor.values]
    made = InferInput(tensor.name, [len(given)], kind)
    with np.errstate(over="ignore"):
        encoded = np.array(
            [each.encode() if isinstance(each, str) else each for each in given], types[kind]
        )
    made.set_data_from_numpy(encoded)
    return made


def by_v1(service, sent):
    names = [tensor.name for tensor in sent]
    rows = zip(*(tensor.values for tensor in sent), strict=True)
    body = {"instances": [dict(zip(names, row, strict=True)) for row in rows]}
    status, answer, _ = post(service, "/v1/models/m:predict", json.dumps(body).encode())
    return status, answer.get("predictions", answer)


def by_v2(service, sent):
    inputs = [{"name": one.name, "datatype": one.datatype, "shape": one.shape, "data": one.values}
              for one in sent]  # fmt: skip
    status, answer, _ = post(service, "/v2/models/m/infer", json.dumps({"inputs": inputs}).encode())
    return status, answer["outputs"][0]["data"] if status == GOOD else answer


def by_binary(service, sent):
    pieces = InferRequest("m", [packed(one) for one in sent]).to_grpc().raw_input_contents
    inputs = [
        {"name": one.name, "datatype": one.datatype, "shape": one.shape,
         "parameters": {"binary_data_size": len(piece)}}
        for one, piece in zip(sent, pieces, strict=True)
    ]  # fmt: skip
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    length = str(len(head)).encode()
    status, answer, rest = post(service, "/v2/models/m/infer", b"".join((head, *pieces)), length)
    return status, read_binary(rest, "FP32", "prediction") if status == GOOD else answer


def by_grpc(service, sent, *, raw=True):
    request = InferRequest("m", [packed(one) for one in sent]).to_grpc()
    for described, one in zip(request.inputs, sent, strict=True):
        if not raw:
            field = {"FP32": "fp32_contents", "INT64": "int64_contents", "BYTES": "bytes_contents"}
            kind = INPUTS.get(one.name, "FP32")
            values = packed(one).as_numpy().tolist()
            getattr(described.contents, field[kind]).extend(values)
        described.datatype = one.datatype
        described.shape[:] = one.shape
    if not raw:
        del request.raw_input_contents[:]
    context = SimpleNamespace(told=None)

    async def abort(code, words):
        context.told = {"OK": GOOD, "INVALID_ARGUMENT": BAD, "INTERNAL": OURS}[code.name], {"error": words}

    context.abort = abort
    answer = asyncio.run(GrpcService(service, LIMITS).ModelInfer(request, context))
    return context.told or (GOOD, InferResponse.from_grpc(answer).outputs[0].as_numpy().tolist())


def by_typed_grpc(service, sent):
    return by_grpc(service, sent, raw=False)


TENSORS = [by_v2, by_binary, by_grpc, by_typed_grpc]


def post(service, path, body, json_length=None):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    headers = [] if json_length is None else [(b"inference-header-content-length", json_length)]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(RestApplication(service, LIMITS)(scope, receive, send))
    start, end = sent
    told = dict(start["headers"]).get(b"inference-header-content-length")
    size = len(end["body"]) if told is None else int(told)
    return start["status"], json.loads(end["body"][:size]), end["body"][size:]


def hold(services, ask, columns, wanted, told, spoil=None):
    found = {}
    for name, service in services.items():
        sent = listed(columns)
        if spoil is not None:
            spoil(sent)
        found[name] = ask(service, sent)
    assert [status for status, _ in found.values()] == [wanted, wanted], found
    twin, tensorflow = (answer for _, answer in found.values())
    if wanted == GOOD:
        assert len(twin) == len(columns["size"])
        assert twin == pytest.approx(tensorflow, rel=1e-5, abs=1e-7)
        return
    assert twin == tensorflow
    assert told in twin["error"]


@pytest.mark.parametrize("ask", [by_v1, *TENSORS])
@pytest.mark.parametrize("case", CASES)
def test_both_engines_answer_and_refuse_alike_by_every_protocol(services, case, ask):
    hold(services, ask, *CASES[case])


@pytest.mark.parametrize("ask", TENSORS)
@pytest.mark.parametrize("case", TENSORS_ONLY)
def test_tensors_of_a_wrong_form_are_refused_alike(services, case, ask):
    spoil, told = TENSORS_ONLY[case]
    hold(services, ask, tensors(), BAD, told, spoil)


@pytest.mark.parametrize("ask", [by_v1, by_v2])
@pytest.mark.parametrize("wrong", ["two", True, [2], 1.5])
def test_values_of_a_wrong_type_are_refused_alike(services, wrong, ask):
    hold(services, ask, tensors(seats=[2, wrong, 1]), BAD, "input `seats`, row 1")


@pytest.mark.parametrize("ask", TENSORS[1:])
def test_bytes_that_are_no_text_are_refused_alike(services, ask):
    hold(services, ask, tensors(amount=["1", b"\xff", "2"]), BAD, "not UTF-8 — input `amount`, row 1")


def test_all_protocols_give_one_answer(services):
    answers = [ask(service, listed(tensors()))[1] for ask in (by_v1, *TENSORS)
               for service in services.values()]  # fmt: skip
    # 0.1 age + size / seats + amount, by hand
    assert answers == [pytest.approx([0.15 + 1 + 7, 4.0, -0.325 - 2 - 1.5], rel=1e-6)] * 10


@pytest.mark.parametrize(
    ("row", "told"),
    [("1,1,seven", "a string that is no number|convert string: seven"), ("1,0,1", "finite")],
)
@pytest.mark.parametrize("engine", ["twin", "tensorflow"])
def test_a_file_with_a_row_without_an_answer_is_told_by_its_lines(
    services, engine, row, told, tmp_path, monkeypatch
):
    model = services[engine].model
    monkeypatch.setattr("components.serving.predictor.load_model", lambda folder, name: model)
    file = tmp_path / "rows.csv"
    file.write_text(f"size,seats,amount\n1,1,1\n{row}\n1,1,2\n")
    with pytest.raises(UnavailableError, match=f"the model fails: .*({told}).* — lines 2 to 4"):
        predict_by_model(tmp_path, file, tmp_path / "out.csv")
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_both_engines_are_counted_alike(services):
    """Requests by answer, anomalies by input; times and the engine's own name differ."""
    for ask in (by_v1, *TENSORS):
        for service in services.values():
            for case in ("three rows", "infinite", "no finite answer"):
                ask(service, listed(CASES[case][0]))
    counts = []
    for service in services.values():
        lines = service.metrics.exposition().decode().splitlines()
        counts.append([line for line in lines if line.startswith(("millrace_requests", "millrace_input"))])
    assert counts[0] == counts[1]
    assert len(counts[0]) > 8

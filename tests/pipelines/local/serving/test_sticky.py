"""A header, or an input of the model, decides who answers, whatever the protocol of the request."""

import json
import struct
import urllib.request

import pytest

from components.common.errors import BadInputError
from components.deployment.ask import Asked, ask_v2_binary
from pipelines.local.serving.assign import assign
from pipelines.local.serving.sticky import read_key
from tests.pipelines.local.serving import conftest as at
from tests.tiny_model import ROWS, SIGNATURE, expected_probability, v2_body

BINARY = "Inference-Header-Content-Length"


def v1(*values):
    return {}, json.dumps({"instances": [{"age": 1.0, "user": value} for value in values]}).encode()


def v2(*values, datatype="BYTES", shape=None):
    user = {"name": "user", "datatype": datatype, "shape": shape or [len(values)], "data": list(values)}
    return {}, json.dumps({"inputs": [{"name": "age", "data": [1.0]}, user]}).encode()


def v2_binary(content, datatype="BYTES"):
    """Tensors as bytes behind the JSON, another one first: in the form of the extension's own page."""
    before = struct.pack("<f", 1.0)
    sizes = [("age", "FP32", before), ("user", datatype, content)]
    inputs = [
        {"name": name, "datatype": kind, "shape": [1], "parameters": {"binary_data_size": len(piece)}}
        for name, kind, piece in sizes
    ]
    head = json.dumps({"inputs": inputs}).encode()
    return {BINARY: str(len(head))}, head + before + content


def texts(*values):
    return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)


@pytest.mark.parametrize(
    ("request_", "key"),
    [
        (v1("ann"), "ann"),
        (v1("ann", "ann"), "ann"),
        (v1(7), "7"),
        (v1(7.0), "7"),
        (v1(True), "1"),
        (v2("zoë"), "zoë"),
        (v2(["ann"], ["ann"], shape=[2, 1]), "ann"),
        (v2(7, datatype="INT64"), "7"),
        (v2_binary(texts("zoë")), "zoë"),
        (v2_binary(texts("ann", "ann")), "ann"),
        (v2_binary(struct.pack("<q", -7), "INT64"), "-7"),
    ],
)
def test_an_input_is_read_by_every_protocol_and_a_number_is_its_text(request_, key):
    assert read_key("input:user", *request_) == key


ABSENT = {
    "no JSON": ({}, b"{"),
    "no object": ({}, b"[]"),
    "no rows": v1(),
    "not an input": ({}, b'{"instances": [{"age": 1}]}'),
    "not a tensor": ({}, b'{"inputs": [{"name": "age", "data": [1]}]}'),
    "in the first row alone": ({}, b'{"instances": [{"user": "ann"}, {"age": 1}]}'),
    "null": v1(None),
    "a fraction": v1(0.5),
    "infinite": ({}, b'{"instances": [{"user": Infinity}]}'),
    "the marker of a text": v1("\x00"),
    "the marker of a number": v2_binary(struct.pack("<q", -(2**63)), "INT64"),
    "floats as bytes": v2_binary(struct.pack("<f", 1.0), "FP32"),
    "half a number": v2_binary(b"1234", "INT64"),
    "half a length": v2_binary(b"12"),
    "no UTF-8": v2_binary(struct.pack("<I", 1) + b"\xff"),
    "no length": ({BINARY: "ten"}, v1("ann")[1]),
    "nested without end": ({}, b"[" * 100_000),
}


@pytest.mark.parametrize("told", ABSENT)
def test_a_request_without_the_input_is_refused_by_its_name(told):
    with pytest.raises(BadInputError, match=r"absent, or neither a text.*input `user`, which decides"):
        read_key("input:user", *ABSENT[told])


def test_rows_of_several_users_are_no_one_request():
    with pytest.raises(BadInputError, match=r"differs between rows.*\['ann', 'bob'\].*for each value"):
        read_key("input:user", *v1("ann", "bob", "ann"))


def test_a_header_may_be_absent():
    assert read_key("X-User", {"X-User": "ann"}, b"") == "ann"
    assert read_key("X-User", {}, b"") is None


def test_an_input_decides_who_answers_at_the_data_port(supervisor, models):
    weights = {at.apply(supervisor, "keyed", models[name]): 50 for name in ("good", "other")}
    for revision in weights:
        assert at.settle(supervisor, "keyed", revision)["state"] == "ready"
    at.weigh(supervisor, "keyed", weights, sticky="input:carrier")
    asked = Asked(url=f"{supervisor.url}/v2/models/keyed/infer", name="keyed", signature=SIGNATURE)
    for user in ("AA", "UA", "DL", "B6", "zoë"):
        row, chosen = {**ROWS[0], "carrier": user}, assign(user, "keyed", weights)
        for path, body in (
            ("/v2/models/keyed/infer", v2_body([row, row])),
            ("/v1/models/keyed:predict", {"instances": [row]}),
        ):
            assert at.ask(supervisor, "keyed", path=path, body=body)[2]["Millrace-Revision"] == chosen
        (answer,) = ask_v2_binary(asked, {name: [value] for name, value in row.items()})["probability"]
        weight = 1.0 if chosen == next(iter(weights)) else 2.0
        assert answer == pytest.approx(expected_probability(row, weight), rel=1e-5)
    code, told, _ = at.ask(supervisor, "keyed", body=v2_body([ROWS[3]]))  # its carrier is null
    assert (code, "input `carrier`, which decides who answers" in told["error"]) == (400, True)
    code, told, _ = at.ask(supervisor, "keyed", body=v2_body(ROWS[:2]))
    assert (code, "differs between rows" in told["error"]) == (400, True)
    first = next(iter(weights))
    assert at.ask(supervisor, "keyed", revision=first)[0] == 200  # as golden requests are asked
    assert urllib.request.urlopen(f"{supervisor.url}/v2/models/keyed").status == 200  # noqa: S310 - loopback
    at.weigh(supervisor, "keyed", {first: 100}, sticky="input:carrier")
    assert at.ask(supervisor, "keyed")[0] == 200  # nothing is to be decided

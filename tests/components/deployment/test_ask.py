"""Answers that no model server gives, by a server on loopback; real ones answer in test_release.py."""

import ssl
from http.client import HTTPConnection, HTTPSConnection

import pytest

from components.common.artifacts import Signature
from components.common.errors import UnavailableError
from components.deployment.ask import Asked, protocols
from components.deployment.connect import connect
from tests.loopback import Answering, listening

INPUT = {"name": "seats", "datatype": "INT64"}
OUTPUT = {"name": "probability", "datatype": "FP32"}


@pytest.fixture
def answering():
    """An address at which everything is answered by what the test says: a status and a body."""
    told = []

    class Handler(Answering):
        def answer(self):
            self.read()
            self.send(*told[-1])

    with listening(Handler) as address:
        yield address, told


@pytest.mark.parametrize("protocol", ["v1", "v2", "v2 binary"])
@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>sign in</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"outputs": [{}], "predictions": null}'),
        (200, b'{"outputs": [{"name": "probability", "data": 1, "shape": []}], "predictions": 1}'),
        (404, b"<html>no such page</html>"),
        (503, b"[]"),
    ],
)
def test_an_answer_of_something_else_is_told_with_the_address(answering, protocol, answer):
    address, told = answering
    told.append(answer)
    signature = Signature(inputs=[INPUT], outputs=[OUTPUT])
    asked = Asked(url=f"{address}/v2/models/m/infer", name="m", signature=signature)
    with pytest.raises(UnavailableError, match=f"not a model server's.*{address}"):
        protocols(asked)[protocol](asked, {"seats": [1]})


@pytest.mark.parametrize(("scheme", "kind"), [("http", HTTPConnection), ("https", HTTPSConnection)])
def test_a_connection_is_encrypted_where_the_address_says_so(scheme, kind):
    connection = connect(f"{scheme}://model.example:8443/v2", timeout_seconds=1.0)
    assert type(connection) is kind
    assert (connection.host, connection.port) == ("model.example", 8443)
    if kind is HTTPSConnection:
        assert connection._context.verify_mode == ssl.CERT_REQUIRED

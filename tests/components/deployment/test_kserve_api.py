"""Failures of the Kubernetes API, each by a server on loopback with the answers of Kubernetes 1.35."""

import json
import socket

import pytest

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment import kserve_api
from components.deployment.kserve_api import Kubernetes, StaleError
from tests.loopback import Answering, listening

PATH = "/apis/serving.kserve.io/v1beta1/namespaces/n/inferenceservices/m"
FOUND = (200, {"kind": "InferenceService"}, {})
CUT = "cut"  # the connection breaks off in the middle of an answer


def status(code, reason, message, **details):
    return (
        code,
        {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details},
        {},
    )


BUSY = status(429, "TooManyRequests", "try later")
AWAY = status(503, "ServiceUnavailable", "etcd leader changed")
BROKEN = status(500, "InternalError", "timed out")


@pytest.fixture
def api(monkeypatch):
    """A server that gives one answer after the other, and what it was asked."""
    monkeypatch.setattr(kserve_api, "WAITS_SECONDS", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(kserve_api, "PATIENCE_SECONDS", (0.0, 0.0, 0.0))
    answers, asked = [], []

    class Handler(Answering):
        protocol_version = "HTTP/1.1"

        def answer(self):
            asked.append((self.command, self.path, self.headers.get("Content-Type"), self.read()))
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if answer == CUT:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{")
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            code, content, headers = answer
            self.send(code, json.dumps(content).encode(), headers)

    from kubernetes import client

    with listening(Handler) as address:
        configuration = client.Configuration()
        configuration.host = address
        configuration.retries = False
        yield Kubernetes(client.ApiClient(configuration)), answers, asked


@pytest.mark.parametrize("failure", [BUSY, AWAY, BROKEN, CUT])
def test_a_busy_or_broken_server_is_asked_again(api, failure):
    cluster, answers, asked = api
    answers += [failure, failure, FOUND]
    assert cluster.apply(PATH, {"spec": {}}) == FOUND[1]
    assert len(asked) == 3
    assert asked[0] == asked[2]


@pytest.mark.parametrize("failure", [BUSY, AWAY, CUT])
def test_a_server_that_stays_away_is_said_so(api, failure):
    cluster, answers, asked = api
    answers.append(failure)
    with pytest.raises(UnavailableError, match="Kubernetes API"):
        cluster.read(PATH)
    assert len(asked) == 5


def test_a_server_that_has_answered_is_waited_for_longer_while_it_restarts(api):
    cluster, answers, asked = api
    answers += [FOUND, *[CUT] * 7, FOUND]
    cluster.read(PATH)
    assert cluster.read(PATH) == FOUND[1]
    assert len(asked) == 9
    answers[:] = [CUT]
    with pytest.raises(UnavailableError, match="does not answer"):
        cluster.read(PATH)
    assert len(asked) == 9 + 8


def test_a_server_that_says_how_long_to_wait_is_obeyed(api, monkeypatch):
    cluster, answers, _ = api
    waited = []
    monkeypatch.setattr(kserve_api.time, "sleep", waited.append)
    answers += [(*BUSY[:2], {"Retry-After": "7"}), (*BUSY[:2], {"Retry-After": "9999"}), FOUND]
    cluster.read(PATH)
    assert waited == [7.0, 30.0]


def test_an_apply_is_strict_server_side_and_by_one_manager(api):
    cluster, answers, asked = api
    answers.append(FOUND)
    cluster.apply(PATH, {"spec": {"a": 1}}, dry_run=True)
    ((method, path, kind, body),) = asked
    assert (method, kind) == ("PATCH", "application/apply-patch+yaml")
    assert path == f"{PATH}?fieldManager=millrace&fieldValidation=Strict&dryRun=All"
    assert json.loads(body) == {"spec": {"a": 1}}


def test_nothing_there_is_none(api):
    cluster, answers, _ = api
    answers.append(status(404, "NotFound", 'inferenceservices.serving.kserve.io "m" not found'))
    assert cluster.read(PATH) is None


CONFLICT = status(
    409, "Conflict", 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.x',
    causes=[{"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".spec.x"}],
)  # fmt: skip
RIGHTS = 'inferenceservices "m" is forbidden: User "system:serviceaccount:a:b" cannot patch resource'
DENIED = 'admission webhook "x" denied the request: canary "b" cannot be'


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (CONFLICT, RefusedError, r"somebody else holds fields of it: \.spec\.x .*kubectl"),
        (status(409, "Conflict", "the object has been modified"), StaleError, "changed meanwhile"),
        (status(403, "Forbidden", RIGHTS), BadInputError, "not allowed: .*deployer.yaml has the rights"),
        (status(403, "Forbidden", DENIED), BadInputError, "the cluster refuses it: admission webhook"),
        (status(422, "Invalid", "spec.x: Invalid value"), BadInputError, "the cluster refuses it: spec.x"),
        (status(401, "Unauthorized", "Unauthorized"), BadInputError, "does not know who is asking"),
    ],
)
def test_a_refusal_is_told_in_words_and_not_asked_again(api, answer, error, told):
    cluster, answers, asked = api
    answers.append(answer)
    with pytest.raises(error, match=told):
        cluster.apply(PATH, {})
    assert len(asked) == 1

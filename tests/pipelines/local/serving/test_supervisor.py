"""A real supervisor with real model servers, all on loopback."""

import http.client
import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.common.control import call_control
from components.common.errors import BadInputError
from components.serving.config import ServingConfig
from pipelines.local.serving import proxy
from tests.open_load import open_load
from tests.pipelines.local.serving import conftest as at
from tests.tiny_model import ROWS, expected_probability, v2_body


@pytest.fixture(scope="module")
def served(supervisor, models):
    """A model that has all requests under the name `good`; returns its revision."""
    revision = at.apply(supervisor, "good", models["good"])
    assert at.settle(supervisor, "good", revision)["state"] == "ready"
    assert at.ask(supervisor, "good")[0] == 503  # it has no share yet
    at.weigh(supervisor, "good", {revision: 100})
    return revision


def test_released_model_answers_through_the_data_port(supervisor, served):
    status, answer, headers = at.ask(supervisor, "good")
    assert status == 200
    expected = [expected_probability(row) for row in ROWS]
    assert answer["outputs"][0]["data"] == pytest.approx(expected, rel=1e-6)
    assert headers["Millrace-Revision"] == served


def test_large_bodies_stream_both_ways_and_other_addresses_pass_through(supervisor, served):
    rows = {"instances": ROWS * 2500}
    status, answer, _ = at.ask(supervisor, "good", path="/v1/models/good:predict", body=rows)
    assert status == 200
    assert answer["predictions"] == pytest.approx(
        [expected_probability(row) for row in ROWS] * 2500, rel=1e-6
    )
    for path in ("/v2/models/good", "/v2/models/good/ready", "/v1/models/good"):
        with urllib.request.urlopen(supervisor.url + path) as response:  # noqa: S310 - loopback
            assert json.loads(response.read())["name"] == "good"
    with urllib.request.urlopen(supervisor.url) as response:  # noqa: S310
        listed = json.loads(response.read())["models"]
    url = f"{supervisor.url}/v2/models/good/infer"
    assert {"name": "good", "url": url, "ready": True} in listed


def test_endpoints_tell_what_serves(supervisor, served, models):
    (found,) = [one for one in supervisor.endpoints() if one["name"] == "good"]
    assert found["url"] == f"{supervisor.url}/v2/models/good/infer"
    assert (found["revision"], found["state"]) == (served, "ready")
    assert found["model_uri"] == str(models["good"])
    assert found["model_digest"].startswith(served)


def test_applying_the_same_model_again_restarts_nothing(supervisor, served, models):
    pid = at.revisions(supervisor, "good")[served]["pid"]
    assert at.apply(supervisor, "good", models["good"]) == served
    assert at.revisions(supervisor, "good")[served]["pid"] == pid


def test_header_picks_a_revision_whatever_its_share(supervisor, served, models):
    second = at.apply(supervisor, "good", models["other"])
    at.settle(supervisor, "good", second)
    answer = at.ask(supervisor, "good", revision=second)[1]
    expected = [expected_probability(row, weight=2.0) for row in ROWS]
    assert answer["outputs"][0]["data"] == pytest.approx(expected, rel=1e-6)
    assert {at.ask(supervisor, "good")[2]["Millrace-Revision"] for _ in range(10)} == {served}
    at.weigh(supervisor, "good", {served: 50, second: 50})
    seen = {at.ask(supervisor, "good")[2]["Millrace-Revision"] for _ in range(40)}
    assert seen == {served, second}  # equal shares miss one of them once in 2**39
    pid = at.revisions(supervisor, "good")[second]["pid"]
    at.weigh(supervisor, "good", {served: 100})
    call_control(supervisor.control, "DELETE", f"/endpoints/good/revisions/{second}")
    assert not at.alive(pid)
    assert list(at.revisions(supervisor, "good")) == [served]


def test_weights_hold_per_request_on_one_kept_connection(supervisor, served, models):
    second = at.apply(supervisor, "good", models["other"])
    at.settle(supervisor, "good", second)
    at.weigh(supervisor, "good", {served: 50, second: 50})
    connection = http.client.HTTPConnection("127.0.0.1", supervisor.port, timeout=60)
    connection.connect()
    port, seen = connection.sock.getsockname()[1], []
    for _ in range(60):
        connection.request("POST", "/v2/models/good/infer", json.dumps(v2_body(ROWS)))
        response = connection.getresponse()
        assert json.loads(response.read())["model_name"] == "good"
        seen.append(response.headers["Millrace-Revision"])
    assert connection.sock.getsockname()[1] == port  # it was one connection
    assert 10 < seen.count(second) < 50  # equal shares leave this once in 10**7
    at.weigh(supervisor, "good", {served: 100})
    call_control(supervisor.control, "DELETE", f"/endpoints/good/revisions/{second}")


def counted(supervisor):
    """The data port's metrics as Prometheus's own parser reads them."""
    with urllib.request.urlopen(supervisor.url + "/metrics") as response:  # noqa: S310 - loopback
        families = list(text_string_to_metric_families(response.read().decode()))
    assert len({family.name for family in families}) == len(families)
    return {
        (sample.name, *(sample.labels.get(key) for key in ("model", "revision", "code"))): sample.value
        for family in families
        for sample in family.samples
    }


def test_killed_server_is_started_anew_and_only_what_it_had_in_hand_is_lost(supervisor, served):
    pid = at.revisions(supervisor, "good")[served]["pid"]
    before = counted(supervisor)
    with open_load(f"{supervisor.url}/v2/models/good/infer") as load:
        killed = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while at.revisions(supervisor, "good")[served]["pid"] in (pid, None):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert at.settle(supervisor, "good", served)["state"] == "ready"
    lost = load.outcomes[502]
    assert load.outcomes == {200: load.sent - lost, **({502: lost} if lost else {})}, load.failures
    assert all(abs(moment - killed) < 0.2 for moment, _ in load.failures), (killed, load.failures)
    assert lost <= 10
    after = counted(supervisor)
    name = ("millrace_requests_lost_total", "good", served, None)
    assert after[name] - before.get(name, 0) == lost
    name = ("millrace_restarts_total", "good", served, None)
    assert after[name] - before.get(name, 0) == 1


def test_metrics_of_all_revisions_stand_in_one_exposition(supervisor, served):
    at.ask(supervisor, "good")
    found = counted(supervisor)
    assert found["millrace_ready", "good", served, None] == 1
    assert found["millrace_requests_total", "good", served, "200"] >= 1
    assert found["millrace_endpoint_requests_total", "good", served, "200"] >= 1
    assert {key[1] for key in found} == {"good"}


def test_everything_listens_on_the_loopback_address_alone(supervisor, served):
    processes = [psutil.Process(supervisor.pid), *psutil.Process(supervisor.pid).children(recursive=True)]
    listening = [
        connection.laddr.ip.removeprefix("::ffff:")  # gRPC's spelling of an address of version 4
        for process in processes
        for connection in process.connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3  # the data port, and of the server HTTP and gRPC
    assert set(listening) == {"127.0.0.1"}


def test_servers_are_forked_by_a_warm_parent_and_outlive_it(supervisor, served, models):
    def parent():
        children = psutil.Process(supervisor.pid).children()
        (found,) = [each for each in children if "pipelines.local.serving.parent" in each.cmdline()]
        return found

    first, pid = parent(), at.revisions(supervisor, "good")[served]["pid"]
    assert pid in [child.pid for child in first.children()]
    first.kill()
    first.wait()
    assert at.ask(supervisor, "good")[0] == 200
    second = at.apply(supervisor, "good", models["other"])  # without a parent it is started fresh
    assert at.settle(supervisor, "good", second)["state"] == "ready"
    os.kill(pid, signal.SIGKILL)  # its end is seen, though its parent is gone
    deadline = time.monotonic() + 60
    while at.revisions(supervisor, "good")[served]["pid"] in (pid, None):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert at.settle(supervisor, "good", served)["state"] == "ready"
    call_control(supervisor.control, "DELETE", f"/endpoints/good/revisions/{second}")
    assert at.ask(supervisor, "good")[0] == 200


def test_model_that_answers_otherwise_fails_with_the_reason_and_is_not_retried(supervisor, models):
    revision = at.apply(supervisor, "broken", models["broken"])
    found = at.settle(supervisor, "broken", revision)
    assert found["state"] == "failed"
    assert "golden request 1" in found["reason"]
    assert found["pid"] is None
    log = supervisor.file.parent / "logs" / f"broken-{revision}.log"
    assert sum(line.startswith("error: ") for line in log.read_text().splitlines()) == 1
    supervisor.stop("broken")
    assert "broken" not in [one["name"] for one in supervisor.endpoints()]


REFUSED = {
    "weights that do not sum to 100": ("PUT", "/endpoints/good/weights", {"REVISION": 99}, "100"),
    "weights that are no whole numbers": ("PUT", "/endpoints/good/weights", {"REVISION": 100.0}, "whole"),
    "unknown revision": ("PUT", "/endpoints/good/weights", {"x": 100}, "no such revision"),
    "unknown endpoint": ("PUT", "/endpoints/nope/weights", {"x": 100}, "no such endpoint"),
    "model name with a slash": ("PUT", "/endpoints/a%2Fb/revisions/x", {}, "model name"),
    "model without a uri": ("PUT", "/endpoints/good/revisions/x", {"model_digest": "x"}, "model_uri"),
    "no object": ("PUT", "/endpoints/good/weights", [1], "object"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_control_refuses_what_cannot_be(supervisor, served, case):
    method, path, body, told = REFUSED[case]
    if isinstance(body, dict):
        body = {served if key == "REVISION" else key: value for key, value in body.items()}
    with pytest.raises(BadInputError, match=told):
        call_control(supervisor.control, method, path, body)


def test_unknown_model_and_revision_are_named_in_json(supervisor, served):
    assert at.ask(supervisor, "nope")[:2] == (404, {"error": "unknown model `nope`"})
    assert at.ask(supervisor, "good", revision="nope")[0] == 404
    assert at.ask(supervisor, "good", path="/v3")[0] == 404


def test_body_over_the_limit_is_refused_sized_or_chunked(supervisor, served):
    assert ServingConfig().max_body_bytes == proxy.MAX_BODY_BYTES
    megabyte = b" " * (1 << 20)
    for chunked in (True, False):
        connection = http.client.HTTPConnection("127.0.0.1", supervisor.port, timeout=60)
        body = (megabyte for _ in range(33))
        headers = {} if chunked else {"Content-Length": str(33 << 20)}
        connection.request("POST", "/v2/models/good/infer", body, headers, encode_chunked=chunked)
        response = connection.getresponse()
        assert (response.status, list(json.loads(response.read()))) == (413, ["error"])
        connection.close()


def test_state_is_readable_by_its_owner_alone(supervisor, served):
    folder = supervisor.file.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("state.json", "supervisor.json", "supervisor.log"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600, name
    assert Path(supervisor.control).parent.stat().st_mode & 0o777 == 0o700
    listed = json.loads((folder / "state.json").read_text())["endpoints"]["good"]["weights"]
    assert listed == {served: 100}

"""Whatever the network and the server do, one line says what is wrong, and never the token."""

import socket

import pytest
from kfp import client

from tests.pipelines.remote.server import Fault, Serving

TOKEN = "canary.eyJhbGciOiJSUzI1NiJ9.4711"  # noqa: S105 - of a test


@pytest.fixture
def token_file(tmp_path, kubeflow):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    kubeflow.api.token = TOKEN
    return file


def test_token_is_sent_with_each_request_and_is_in_no_output(millrace, kubeflow, package, plan, token_file):
    flow = kubeflow.api.play(plan, ("RUNNING", {}), ("FAILED", {"prepare": ("FAILED", 10, 25, 1)}))
    kubeflow.api.logs = {flow.pods["prepare"]: "error: no\n"}
    said = [millrace("submit", package, "-p", "rows=3", "--wait", "--token-file", token_file, *more)
            for more in ([], ["--json"])]  # fmt: skip
    assert {token for _, token in kubeflow.api.requests} == {TOKEN}
    assert kubeflow.api.asked("nodes/.*/log")
    for status in (401, 403, 404, 500):
        body = f'{{"error": "who is {TOKEN}?", "code": 3, "message": "who is {TOKEN}?"}}'
        kubeflow.api.faults = [Fault("runs", status, body, times=9)]
        said.append(millrace("runs", "--token-file", token_file))
    kubeflow.api.token = "another"  # noqa: S105 - of a test
    said.append(millrace("runs", "--token-file", token_file))
    for one in said:
        assert TOKEN not in one.out + one.err
        assert "Traceback" not in one.err


def test_token_that_has_expired_is_said_and_the_new_one_in_the_file_is_taken(
    millrace, kubeflow, package, plan, token_file
):
    kubeflow.api.token = "the next one"  # noqa: S105 - of a test
    said = millrace("runs", "--token-file", token_file)
    assert said.code == 2
    assert f"the token in {token_file} has expired" in said.err
    token_file.write_text("the-next-one")
    kubeflow.api.token = "the-next-one"  # noqa: S105 - of a test
    assert millrace("runs", "--token-file", token_file).code == 0


def test_token_that_expires_while_a_run_is_watched_ends_the_watch_and_not_the_run(
    millrace, kubeflow, package, plan, token_file
):
    kubeflow.api.play(plan, *[("RUNNING", {})] * 3)
    kubeflow.api.faults = [Fault("GET .*/runs/", 401, times=9)]
    said = millrace("submit", package, "-p", "rows=3", "--wait", "--token-file", token_file)
    assert said.code == 2
    assert "goes on" in said.err
    assert "has expired" in said.err


@pytest.mark.parametrize("content", ["", "two words", "two\nlines", "naïve"])
def test_file_that_holds_no_token_is_refused_before_anything_is_sent(millrace, kubeflow, tmp_path, content):
    (tmp_path / "token").write_text(content)
    said = millrace("runs", "--token-file", tmp_path / "token")
    assert (said.code, kubeflow.api.requests) == (2, [])
    assert "token" in said.err
    assert content not in said.err or not content


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, 2, "the server says no (HTTP 400)"),
        (401, 2, "give a token by --token-file"),
        (403, 2, "not allowed"),
        (404, 2, "the server says no (HTTP 404)"),
        (409, 2, "(HTTP 409)"),
        (429, 4, "(HTTP 429)"),
        (500, 4, "(HTTP 500)"),
        (503, 4, "(HTTP 503)"),
        (0, 4, "the connection broke off"),
    ],
)
def test_failure_of_the_server_is_one_line_and_a_code(millrace, kubeflow, status, code, words):
    kubeflow.api.faults = [Fault("GET .*/runs", status, times=99)]
    said = millrace("runs")
    assert said.code == code
    assert words in said.err
    assert said.err.count("\n") == 1
    assert kubeflow.url in said.err
    assert said.out == ""


@pytest.mark.parametrize("status", [429, 500, 503, 0])
def test_passing_failure_is_not_seen(millrace, kubeflow, status):
    kubeflow.api.faults = [Fault("GET .*/runs", status, headers={"Retry-After": "0"}, times=2)]
    said = millrace("runs", "--json")
    assert (said.code, said.out, said.err) == (0, "[]\n", "")


@pytest.mark.parametrize(("status", "begun"), [(500, 1), (0, 1), (429, 1)])
def test_run_is_not_begun_twice_when_nobody_knows_whether_it_was(
    millrace, kubeflow, package, status, begun
):
    after = status != 429  # that is said before anything is done
    kubeflow.api.faults = [Fault("POST .*/runs$", status, after=after)]
    said = millrace("submit", package, "-p", "rows=3")
    assert len(kubeflow.api.runs) == begun
    assert said.code == (4 if after else 0)
    assert ("tells whether it has begun all the same" in said.err) == after


def test_silent_server_is_left_after_a_time(millrace, kubeflow, monkeypatch):
    monkeypatch.setattr("pipelines.remote.api.TIMEOUT_SECONDS", (1, 0.05))
    monkeypatch.setattr("pipelines.remote.api.WAITS_SECONDS", ())
    kubeflow.api.faults = [Fault("runs", -1, times=9)]
    said = millrace("runs")
    assert (said.code, "no answer came in time" in said.err) == (4, True)


def test_nobody_there_is_told_in_words(millrace):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = millrace("runs", host=f"http://127.0.0.1:{port}")
    assert said.code == 4
    assert "nothing answers there" in said.err
    assert "port-forward" in said.err
    unknown = millrace("runs", host="http://no-such-host.invalid")
    assert (unknown.code, "the name of the host is not known" in unknown.err) == (4, True)
    tls = millrace("runs", host=f"https://127.0.0.1:{port}")
    assert tls.code == 4


def test_plain_server_behind_https_is_told_in_words(millrace, kubeflow):
    said = millrace("runs", host=kubeflow.url.replace("http:", "https:"))
    assert said.code == 4
    assert (
        f"it does not speak TLS — {kubeflow.url.replace('http:', 'https:')} — --host {kubeflow.url}"
        in said.err
    )


def test_authority_of_ones_own_is_named_by_its_certificates(millrace, kubeflow, tmp_path, monkeypatch):
    url = kubeflow.speak_tls(tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    said = millrace("runs", host=url)
    assert (said.code, said.err.count("\n")) == (4, 1)
    assert "its certificate cannot be verified" in said.err
    assert "SSL_CERT_FILE" in said.err
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert millrace("runs", host=url).code == 0


def test_address_of_something_else_is_told(millrace, kubeflow):
    said = millrace("runs", host=f"{kubeflow.url}/elsewhere")
    kubeflow.api.problems.clear()
    assert said.code == 2
    assert "not the API of Kubeflow Pipelines" in said.err


def test_page_to_sign_in_is_not_taken_for_the_api(millrace, kubeflow, package):
    kubeflow.api.faults = [Fault("GET", 200, "<!doctype html><html>sign in</html>", times=99)]
    said = millrace("runs")
    assert said.code == 2
    assert "a page was answered" in said.err
    assert "/pipeline" in said.err


def test_kubeflow_that_has_moved_is_told_since_a_request_sent_on_is_another_one(
    millrace, kubeflow, package
):
    with Serving() as other:
        moved = {"Location": f"{other.url}/apis/v2beta1/healthz"}
        kubeflow.api.faults = [Fault("GET", 302, headers=moved, times=99)]
        said = millrace("submit", package, "-p", "rows=3")
    assert said.code == 2
    assert f"--host {other.url}" in said.err
    assert kubeflow.api.asked("POST") == other.api.asked("POST") == []


def test_kubeflow_that_is_away_for_a_while_is_waited_for(millrace, kubeflow, package, plan):
    kubeflow.api.play(plan, ("RUNNING", {}), ("SUCCEEDED", {}))
    kubeflow.api.faults = [Fault("GET .*/runs/", 503, times=8)]
    said = millrace("submit", package, "-p", "rows=3", "--wait")
    assert said.code == 0
    assert said.err.count("asking again") == 1
    assert "Kubeflow answers again" in said.err


def test_kubeflow_that_stays_away_ends_the_watch_and_not_the_run(millrace, kubeflow, package, monkeypatch):
    monkeypatch.setattr("pipelines.remote.watching.PATIENCE_SECONDS", 0.1)
    kubeflow.api.faults = [Fault("GET .*/runs/", 503, times=9999)]
    said = millrace("submit", package, "-p", "rows=3", "--wait")
    assert said.code == 4
    assert "goes on" in said.err


def test_kubeflow_of_several_users_wants_a_namespace_and_gets_it_everywhere(millrace, kubeflow, package):
    kubeflow.api.namespaces = {"team"}
    said = millrace("runs")
    assert (said.code, "--namespace" in said.err) == (2, True)
    assert millrace("submit", package, "-p", "rows=3", "--namespace", "team").code == 0
    assert millrace("runs", "--namespace", "team").code == 0
    made = [*kubeflow.api.pipelines.values(), *kubeflow.api.experiments.values()]
    assert [one["namespace"] for one in made] == ["team", "team"]
    for asked in ("pipelines/names/", "GET .*/experiments", "GET .*/runs"):
        assert all("namespace=team" in line for line in kubeflow.api.asked(asked))


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080", "ftp://x", "http://", "http://me:canary@host", "http://h/#/x", "http://[::1",
        "http://h:99999", "http://h:abc", "http://h:0", "http://a b", "http://me:canary@h:abc",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(millrace, url):
    said = millrace("runs", host=url)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "option --host" in said.err
    assert "canary" not in said.err


def test_pod_of_a_namespace_need_not_name_it_and_nobodys_settings_change(
    millrace, kubeflow, tmp_path, monkeypatch
):
    kubeflow.api.namespaces = {"team"}
    (tmp_path / "namespace").write_text("team")
    monkeypatch.setattr(client.Client, "_NAMESPACE_PATH", str(tmp_path / "namespace"))
    assert millrace("runs").code == 0
    assert kubeflow.api.asked("runs.*namespace=team")
    assert not (tmp_path / "context.json").exists()


def test_damaged_settings_of_the_sdk_are_told(millrace, tmp_path):
    (tmp_path / "context.json").write_text("{")
    said = millrace("runs")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "context.json" in said.err


def test_certificates_that_are_not_there_are_told(millrace, kubeflow, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    said = millrace("runs", host=kubeflow.url.replace("http:", "https:"))
    assert (said.code, said.err.count("\n")) == (4, 1)

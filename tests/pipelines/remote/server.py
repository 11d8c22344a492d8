"""The API server of Kubeflow Pipelines as far as Millrace asks it, held against the models of KFP's API.

Answers have the shape of KFP 2.17: JSON of protocol buffers by their own names, and
`{"error", "code", "message"}` for what is refused. What `kfp-server-api` has not (logs of pods) was read
in `run_log_server.go` and in `frontend/server/handlers/pod-logs.ts`.
"""

from __future__ import annotations

import email
import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.pipelines.remote.argo import Workflow, when
from tests.pipelines.remote.certificate import certify
from tests.pipelines.remote.models import NotTheApiError, validated


@dataclass
class Fault:
    """What is answered instead, once for each of `times`.

    Attributes:
        path: Of which requests, as a regular expression over `METHOD /path`.
        status: HTTP status; 0 ends the connection, -1 never answers.
        body: Of the answer.
        headers: Of the answer.
        times: How often.
        after: The request is carried out first.
    """

    path: str
    status: int
    body: str = '{"error": "the server says no", "code": 2, "message": "the server says no"}'
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False


class Api:
    """A Kubeflow with one user, unless `namespaces` says otherwise.

    Attributes:
        requests: `METHOD /path?query` of all requests, with the token that came with each.
        steps: What becomes of the next run: for each reading of it its state and `task_details`.
        logs: Text by the name of a pod.
        problems: What was asked or answered that KFP's API has not.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str | None]] = []
        self.faults: list[Fault] = []
        self.problems: list[str] = []
        self.namespaces: set[str] | None = None
        self.token: str | None = None
        self.dashboard = False
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, dict[str, Any]] = {}
        self.experiments: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, str] = {}
        self.page_size = 100
        self.steps: list[tuple[str, list[Any]]] = [("SUCCEEDED", [])]
        self._readings: dict[str, int] = {}

    def asked(self, pattern: str) -> list[str]:
        """Return the requests that match."""
        return [line for line, _ in self.requests if re.search(pattern, line)]

    def play(
        self, plan: Any, *steps: tuple[Any, ...], metadata: str = "", name: str = "training-x7k2p"
    ) -> Workflow:
        """Say what becomes of the next runs: `(state, tasks)` for each reading, the last one for ever."""
        flows = [Workflow(name, plan, tasks, metadata) for _, tasks in steps]
        states = [state for state, _ in steps]
        self.steps = [(state, flow.details) for state, flow in zip(states, flows, strict=True)]
        return flows[-1]

    # what is asked

    def healthz(self) -> Any:
        return validated("V2beta1GetHealthzResponse", {"multi_user": self.namespaces is not None})

    def pipeline_by_name(self, name: str, query: dict[str, str]) -> Any:
        _known(query, "namespace")
        found = [one for one in self.pipelines.values() if one["name"] == name]
        mine = [one for one in found if one.get("namespace", "") == query.get("namespace", "")]
        return (
            validated("V2beta1Pipeline", mine[0]) if mine else _Refused(404, f"pipeline {name} not found")
        )

    def pipeline(self, identifier: str) -> Any:
        if identifier not in self.pipelines:
            return _Refused(404, "pipeline not found")
        return validated("V2beta1Pipeline", self.pipelines[identifier])

    def create_pipeline(self, body: Any) -> Any:
        validated("V2beta1Pipeline", body, asked=True)
        if any(one["name"] == body["name"] for one in self.pipelines.values()):
            return _Refused(409, "AlreadyExists: the name is taken")
        made = {**body, "pipeline_id": _id(), "created_at": when(0)}
        self.pipelines[made["pipeline_id"]] = made
        return validated("V2beta1Pipeline", made)

    def list_versions(self, pipeline: str, query: dict[str, str]) -> Any:
        found = [one for one in self.versions.values() if one["pipeline_id"] == pipeline]
        return self._page("V2beta1ListPipelineVersionsResponse", "pipeline_versions", found, query)

    def version(self, pipeline: str, identifier: str) -> Any:
        found = self.versions.get(identifier)
        if found is None or found["pipeline_id"] != pipeline:
            return _Refused(404, "version not found")
        return validated("V2beta1PipelineVersion", found)

    def upload_version(self, query: dict[str, str], file: bytes) -> Any:
        _known(query, "name", "display_name", "description", "pipelineid", "namespace", "tags")
        if any(one["name"] == query["name"] for one in self.versions.values()):
            return _Refused(409, "Failed to create a pipeline version")
        spec, *platform = list(yaml.safe_load_all(file))
        made = {
            "pipeline_id": query["pipelineid"], "pipeline_version_id": _id(), "name": query["name"],
            "display_name": query["name"], "created_at": when(0),
            "pipeline_spec": {"pipeline_spec": spec, "platform_spec": platform[0]} if platform else spec,
        }  # fmt: skip
        self.versions[made["pipeline_version_id"]] = made
        return validated("V2beta1PipelineVersion", made)

    def list_experiments(self, query: dict[str, str]) -> Any:
        found = list(self.experiments.values())
        return self._page("V2beta1ListExperimentsResponse", "experiments", found, query, "namespace")

    def create_experiment(self, body: Any) -> Any:
        validated("V2beta1Experiment", body, asked=True)
        made = {**body, "experiment_id": _id(), "created_at": when(0)}
        self.experiments[made["experiment_id"]] = made
        return validated("V2beta1Experiment", made)

    def list_runs(self, query: dict[str, str]) -> Any:
        found = [self._run(one) for one in self.runs]
        if query.get("sort_by") == "created_at desc":
            found.reverse()
        return self._page("V2beta1ListRunsResponse", "runs", found, query, "namespace", "experiment_id")

    def create_run(self, body: Any) -> Any:
        validated("V2beta1Run", body, asked=True)
        assert body["experiment_id"] in self.experiments
        if reference := body.get("pipeline_version_reference"):
            version = self.versions[reference["pipeline_version_id"]]
            assert version["pipeline_id"] == reference["pipeline_id"]
        else:
            assert body["pipeline_spec"]
        made = {**body, "run_id": _id(), "created_at": when(0), "steps": self.steps}
        self.runs[made["run_id"]] = made
        return self._run(made["run_id"])

    def run(self, identifier: str) -> Any:
        if identifier not in self.runs:
            return _Refused(404, f"run {identifier} not found")
        self._readings[identifier] = self._readings.get(identifier, -1) + 1
        return self._run(identifier)

    def terminate(self, identifier: str) -> Any:
        self.runs[identifier]["steps"] = [("FAILED", [])]
        self.runs[identifier]["state_history"] = [{"update_time": when(9), "state": "CANCELING"}]
        return {}

    def _run(self, identifier: str) -> Any:
        run = dict(self.runs[identifier])
        steps = run.pop("steps")
        state, details = steps[max(0, min(self._readings.get(identifier, 0), len(steps) - 1))]
        run |= {"state": state, "run_details": {"task_details": details}}
        run["finished_at"] = (
            when(90) if state in ("SUCCEEDED", "FAILED", "CANCELED") else "1970-01-01T00:00:00Z"
        )
        return validated("V2beta1Run", run)

    def _page(self, kind: str, entries: str, found: list[Any], query: dict[str, str], *more: str) -> Any:
        _known(query, "page_token", "page_size", "sort_by", "filter", *more)
        if text := query.get("filter"):
            # JSON of protocol buffers has both forms of a name, and enumerations by number, too
            text = text.replace('"stringValue"', '"string_value"')
            text = text.replace('"operation": 1', '"operation": "EQUALS"')
            wanted = validated("V2beta1Filter", json.loads(text), asked=True)
            for predicate in wanted["predicates"]:
                assert predicate["operation"] == "EQUALS"
                key, value = predicate["key"], predicate["string_value"]
                found = [one for one in found if one[key] == value]
        size = min(self.page_size, int(query.get("page_size") or 20))
        start = int(query.get("page_token") or 0)
        page: dict[str, Any] = {entries: found[start : start + size], "total_size": len(found)}
        if start + size < len(found):
            page["next_page_token"] = str(start + size)
        if not found:
            del page[entries]  # as protocol buffers do
        return validated(kind, page)

    def artifact(self, query: dict[str, str]) -> Any:
        uri = f"{query['source']}://{query['bucket']}/{query['key']}"
        return self.logs.get(uri) or _Refused(500, "Failed to get object in bucket")

    def log(self, run: str, pod: str) -> Any:
        assert run in self.runs
        if pod not in self.logs:
            return _Refused(
                500, f'Failed to read logs from pod {pod}: pods "{pod}" not found', "error_message"
            )
        return self.logs[pod]


@dataclass
class _Refused:
    status: int
    said: str
    key: str = "message"


def _id() -> str:
    return str(uuid.uuid4())


def _known(query: dict[str, str], *names: str) -> None:
    if unknown := set(query) - set(names):
        raise NotTheApiError(f"no such parameter: {unknown}")


def _routes(api: Api) -> list[tuple[str, Callable[..., Any]]]:
    base = "/apis/v2beta1"
    return [
        (f"GET {base}/healthz", lambda query, body: api.healthz()),
        (f"GET {base}/pipelines/names/([^/]+)", lambda one, query, body: api.pipeline_by_name(one, query)),
        (f"POST {base}/pipelines", lambda query, body: api.create_pipeline(json.loads(body))),
        (f"POST {base}/pipelines/upload_version", api.upload_version),
        (f"GET {base}/pipelines/([^/]+)", lambda one, query, body: api.pipeline(one)),
        (f"GET {base}/pipelines/([^/]+)/versions", lambda one, query, body: api.list_versions(one, query)),
        (f"GET {base}/pipelines/([^/]+)/versions/([^/]+)", lambda a, b, query, body: api.version(a, b)),
        (f"GET {base}/experiments", lambda query, body: api.list_experiments(query)),
        (f"POST {base}/experiments", lambda query, body: api.create_experiment(json.loads(body))),
        (f"GET {base}/runs", lambda query, body: api.list_runs(query)),
        (f"POST {base}/runs", lambda query, body: api.create_run(json.loads(body))),
        (f"GET {base}/runs/([^/:]+)", lambda one, query, body: api.run(one)),
        (f"POST {base}/runs/([^/]+):terminate", lambda one, query, body: api.terminate(one)),
        ("GET /apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log", lambda a, b, query, body: api.log(a, b)),
        ("GET /artifacts/get", lambda query, body: api.artifact(query)),
        ("GET /k8s/pod/logs", lambda query, body: api.log(query["runid"], query["podname"])),
    ]  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: Api

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_GET  # noqa: N815 - http.server's name

    def _serve(self) -> None:
        parts, api = urlsplit(self.path), self.api
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        line = f"{self.command} {self.path}"
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ") or None
        api.requests.append((line, token))
        fault = next((one for one in api.faults if one.times and re.search(one.path, line)), None)
        if fault is not None:
            fault.times -= 1
            if not fault.after:
                return self._fail(fault)
        if api.token is not None and token != api.token:
            return self._send(401, json.dumps({"error": f"Unauthorized: token {token}", "code": 16}))
        answer = self._answer(f"{self.command} {parts.path}", parts.query, body)
        if fault is not None:
            return self._fail(fault)
        if isinstance(answer, _Refused):
            return self._send(answer.status, json.dumps({answer.key: answer.said, "code": 5}))
        if isinstance(answer, str):
            return self._send(200, answer, "text/plain")
        return self._send(200, json.dumps(answer))

    def _answer(self, line: str, query: str, body: bytes) -> Any:
        if self.api.dashboard and "v1alpha1" in line:
            return _Refused(404, "Cannot GET")
        if not self.api.dashboard and "/k8s/" in line:
            return _Refused(404, "page not found")
        content: Any = body
        if "multipart" in (self.headers.get("Content-Type") or ""):
            content = _uploaded(self.headers["Content-Type"], body)
        asked = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        for pattern, work in _routes(self.api):
            if found := re.fullmatch(pattern, line):
                try:
                    return work(*found.groups(), asked, content)
                except (AssertionError, KeyError, ValueError) as error:
                    self.api.problems.append(f"{line}: {type(error).__name__}: {error}")
                    return _Refused(400, str(error))
        self.api.problems.append(f"nobody answers {line}")
        return _Refused(404, "no such path")

    def _fail(self, fault: Fault) -> None:
        if fault.status == 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if fault.status == -1:
            time.sleep(1)
            self.close_connection = True
            return
        kind = "text/html" if fault.body.startswith("<") else "application/json"
        self._send(fault.status, fault.body, kind, fault.headers)

    def _send(
        self, status: int, text: str, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _uploaded(content_type: str, body: bytes) -> bytes:
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    (part,) = message.get_payload()
    assert part.get_param("name", header="content-disposition") == "uploadfile"
    return part.get_payload(decode=True)


class Serving:
    """A server on loopback, ended with the block."""

    def __init__(self) -> None:
        self.api = Api()
        handler = type("Handler", (_Handler,), {"api": self.api})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def speak_tls(self, folder: Path) -> str:
        """Serve by a certificate that nobody knows, `certificate.pem` in a folder, from here on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certify(folder))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self.url.replace("http:", "https:")

    def __enter__(self) -> Serving:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

"""Tiny models, a supervisor as a process of its own, and what sends requests to it."""

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

from components.common.control import call_control
from components.common.seal import model_digest
from pipelines.local.serving.client import find_supervisor, start_detached
from tests.tiny_model import ROWS, v2_body, write_tiny_model


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Two good models, and one that does not answer its own golden requests as recorded."""
    root = tmp_path_factory.mktemp("models")
    return {
        "good": write_tiny_model(root / "good"),
        "other": write_tiny_model(root / "other", weight=2.0),
        "broken": write_tiny_model(root / "broken", weight=3.0, golden_weight=1.0),
    }


@contextlib.contextmanager
def supervising(root, port=None):
    """Have a supervisor for a root, and none of it left afterwards."""
    supervisor = start_detached(root, port or free_port())
    try:
        yield supervisor
    finally:
        if (left := find_supervisor(root)) is not None:
            left.stop()


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory):
    with supervising(tmp_path_factory.mktemp("root")) as started:
        yield started


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def apply(supervisor, name, folder):
    digest = model_digest(folder)
    body = {"model_uri": str(folder), "model_digest": digest}
    call_control(supervisor.control, "PUT", f"/endpoints/{name}/revisions/{digest[:12]}", body)
    return digest[:12]


def weigh(supervisor, name, weights, *, sticky=None):
    query = f"?sticky={quote(sticky)}" if sticky else ""
    call_control(supervisor.control, "PUT", f"/endpoints/{name}/weights{query}", weights)


def revisions(supervisor, name):
    (found,) = [one for one in supervisor.endpoints() if one["name"] == name]
    return {each["revision"]: each for each in found["revisions"]}


def settle(supervisor, name, revision):
    """Wait until a revision is ready or failed; returns its description."""
    deadline = time.monotonic() + 90
    while (found := revisions(supervisor, name)[revision])["state"] == "starting":
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def ask(supervisor, name, *, revision=None, path=None, body=None):
    """Send the rows; returns (status, answer, headers)."""
    headers = {"Millrace-Revision": revision} if revision else {}
    data = json.dumps(v2_body(ROWS) if body is None else body).encode()
    url = supervisor.url + (path or f"/v2/models/{name}/infer")
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.status, json.loads(response.read()), response.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


def alive(pid):
    """Return whether a process runs, which one that nobody has waited for does not."""
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]

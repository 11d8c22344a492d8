"""Pushing to a real registry (Debian's `docker-registry`), with a tiny image in the place of ours."""

import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.request
from contextlib import closing

import pytest

from tools.images import __main__ as verbs
from tools.images.base import ask_registry
from tools.images.lock import read_lock, write_lock

pytestmark = pytest.mark.images


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry on loopback, which engines may reach without TLS."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "version": "0.1", "http": {"addr": address},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "storage")}},
    }  # fmt: skip
    (tmp_path / "registry.yml").write_text(json.dumps(config))
    insecure = f'[[registry]]\nlocation = "{address}"\ninsecure = true\n'
    (tmp_path / "registries.conf").write_text(insecure)
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    words = ["docker-registry", "serve", tmp_path / "registry.yml"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        _wait_for(f"http://{address}/v2/")
        yield address
        server.terminate()


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310 - loopback
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer")


@pytest.fixture
def tiny(engine, tmp_path):
    (tmp_path / "word").write_text("hello")
    with tarfile.open(tmp_path / "tiny.tar", "w") as tar:
        tar.add(tmp_path / "word", "word")
    name = f"localhost/millrace-test-{os.getpid()}:1"
    subprocess.run([engine, "import", tmp_path / "tiny.tar", name], check=True, capture_output=True)
    yield name
    subprocess.run([engine, "rmi", "--force", name], capture_output=True)


@pytest.fixture(params=["as it is", "docker"])
def pusher(request, engine, registry, tmp_path, monkeypatch):
    """The engine, and docker's command before podman's service, which speaks docker's API."""
    if request.param == "as it is" or engine == "docker":
        yield engine
        return
    if engine != "podman" or not shutil.which("docker"):
        pytest.skip("docker's command, or podman, is missing")
    place = f"unix://{tmp_path}/docker.sock"
    with subprocess.Popen(["podman", "system", "service", "--time=0", place]) as service:
        while not (tmp_path / "docker.sock").exists():
            assert service.poll() is None
            time.sleep(0.05)
        monkeypatch.setenv("DOCKER_HOST", place)
        yield "docker"
        service.terminate()


@pytest.mark.skipif(not shutil.which("docker-registry"), reason="there is no registry to push to")
def test_each_push_is_named_by_the_digest_that_the_registry_has(
    registry, tiny, engine, pusher, monkeypatch, tmp_path
):
    """Through the verb, twice: after the first the lock has the registry's digest, unknown here."""
    there = f"{registry}/team/millrace/ingestion"
    lock = tmp_path / "images.lock"
    monkeypatch.setattr(verbs, "local_name", lambda name: tiny)
    monkeypatch.setattr(verbs, "write_lock", lambda found: write_lock(found, lock))
    monkeypatch.setenv("REGISTRY", f"{registry}/team")
    monkeypatch.setenv("IMAGES", "ingestion")
    monkeypatch.setenv("ENGINE", pusher)
    try:
        for tag in ("v1", "v2"):
            monkeypatch.setenv("TAG", tag)
            assert verbs.main(["push"]) == 0
            assert read_lock(lock) == {"millrace/ingestion": f"{there}@{ask_registry(f'{there}:{tag}')}"}
    finally:
        for tag in ("v1", "v2"):
            subprocess.run([engine, "rmi", "--force", f"{there}:{tag}"], capture_output=True)

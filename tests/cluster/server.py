"""A real API server on loopback, with etcd behind it and nothing else: no controllers and no nodes."""

import ctypes
import functools
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

START_SECONDS = 60
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_LIBC = ctypes.CDLL(None)
# What the server keeps for itself, or defines everything else.
OWN = (
    "events", "leases", "apiservices", "customresourcedefinitions", "flowschemas",
    "prioritylevelconfigurations",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What kubectl said."""

    code: int
    out: str
    error: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    def json(self) -> Any:
        assert self.ok, self.error
        return json.loads(self.out)


@dataclass(frozen=True)
class Cluster:
    """One API server, asked through kubectl."""

    kubectl_path: Path
    config: Path

    def kubectl(
        self, *arguments: str, given: str | list[dict] = "", env: Mapping[str, str] | None = None
    ) -> Answer:
        """Run kubectl; objects that are given go to its standard input."""
        text = given if isinstance(given, str) else "\n".join(json.dumps(each) for each in given)
        done = subprocess.run(
            [self.kubectl_path, f"--kubeconfig={self.config}", *arguments],
            input=text, capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})},
        )  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)

    def apply(self, objects: list[dict], *arguments: str, env: Mapping[str, str] | None = None) -> Answer:
        """Apply objects server-side; a misspelt field is an error."""
        command = ("apply", "--server-side", "--validate=strict", *arguments, "-f", "-")
        return self.kubectl(*command, given=objects, env=env)

    def create_pod(self, pod: dict) -> Answer:
        """Have a pod judged as if it were created."""
        namespace = pod["metadata"]["namespace"]
        path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldValidation=Strict"
        return self.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(pod))

    def can(self, account: str, verb: str, what: str, namespace: str) -> bool:
        """Whether a service account, `namespace:name`, may do something."""
        answer = self.kubectl(
            "auth", "can-i", verb, what, f"--namespace={namespace}", f"--as=system:serviceaccount:{account}"
        )
        assert answer.out.strip() in ("yes", "no"), answer.error
        return answer.out.strip() == "yes"

    def everything(self) -> dict[tuple[str, str, str], str]:
        """The version of every object that can be listed, by kind, namespace and name.

        Left out are what the server keeps for itself, and namespaces that are on their way out.
        """
        listed = self.kubectl("api-resources", "--verbs=list,create,delete", "--output=name").out.split()
        kinds = sorted(name for name in listed if name.partition(".")[0] not in OWN)
        answer = self.kubectl("get", ",".join(kinds), "--all-namespaces", "--output=json")
        return {
            (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]):
                one["metadata"]["resourceVersion"]
            for one in answer.json()["items"]
            if one["kind"] != "Namespace" or one["status"]["phase"] == "Active"
        }  # fmt: skip

    def finish_namespaces(self) -> None:
        """Let namespaces go that are marked for it, as a controller would that is not here."""
        for one in self.kubectl("get", "namespaces", "--output=json").json()["items"]:
            if one["status"]["phase"] == "Terminating":
                path = f"/api/v1/namespaces/{one['metadata']['name']}/finalize"
                empty = json.dumps(one | {"spec": {"finalizers": []}})
                assert self.kubectl("replace", "--raw", path, "-f", "-", given=empty).ok

    def delete(self, objects: list[dict]) -> None:
        """Delete objects."""
        answer = self.kubectl("delete", "--wait=false", "--ignore-not-found", "-f", "-", given=objects)
        assert answer.ok, answer.error
        self.finish_namespaces()


@contextmanager
def running(binaries: Path, folder: Path) -> Iterator[Cluster]:
    """Start etcd and kube-apiserver, and end them."""
    with _etcd(binaries, folder) as store, _api_server(binaries, folder, store) as cluster:
        yield cluster


@contextmanager
def _etcd(binaries: Path, folder: Path) -> Iterator[str]:
    client, peer = (f"http://127.0.0.1:{_free_port()}" for _ in range(2))
    command = [
        binaries / "etcd", f"--data-dir={folder}/etcd", "--unsafe-no-fsync", "--max-request-bytes=8000000",
        f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]  # fmt: skip
    with _process(command, folder / "etcd.log"):
        yield client


@contextmanager
def _api_server(binaries: Path, folder: Path, store: str) -> Iterator[Cluster]:
    port, token, key = _free_port(), secrets.token_hex(16), folder / "accounts.key"
    key.write_bytes(_private_key())
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n', encoding="utf-8")
    command = [
        binaries / "kube-apiserver", f"--etcd-servers={store}", f"--secure-port={port}",
        "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={folder}/certificates",
        "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC", f"--token-auth-file={folder}/tokens.csv",
    ]  # fmt: skip
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(_kubeconfig(port, token)), encoding="utf-8")
    log = folder / "kube-apiserver.log"
    with _process(command, log) as process:
        cluster = Cluster(binaries / "kubectl", config)
        _wait_until_ready(cluster, process, log)
        yield cluster


def _kubeconfig(port: int, token: str) -> dict:
    server = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    }  # fmt: skip


def _wait_until_ready(cluster: Cluster, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not cluster.kubectl("get", "--raw", "/readyz").ok:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"kube-apiserver is not ready: {log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.2)


@contextmanager
def _process(command: list, log: Path) -> Iterator[subprocess.Popen]:
    """Start a program that ends with the block, and when this process is killed."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            preexec_fn=functools.partial(_end_with, os.getpid()),
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with(parent: int) -> None:
    _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before it could be asked for
        os._exit(1)


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]

"""KServe's own controller at work, with its definitions, settings and webhooks out of its Go module.

Nothing of KServe stands in this repository. Of Knative Serving there is the definition and no controller:
what that and a cluster's nodes would do is played by `nodes.py`.
"""

import base64
import datetime
import ipaddress
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cluster.binaries.build import find_go
from tests.cluster.binaries.controller import MODULE, controller
from tests.cluster.definitions import define, definitions
from tests.cluster.server import Cluster, _free_port, _process
from tests.house import ROOT

NAMESPACES = ("kserve", "knative-serving", "millrace", "millrace-serving")
KSERVE, KNATIVE = "github.com/kserve/kserve", "knative.dev/serving"
MORE = ("trainedmodels", "inferencegraphs")
START_SECONDS = 120


@contextmanager
def controlled(cluster: Cluster, folder: Path) -> Iterator[Cluster]:
    """Run KServe's controller on a cluster that holds nothing yet."""
    program = controller()
    home, knative = module_folder(KSERVE), module_folder(KNATIVE)
    more = (home / f"config/crd/full/serving.kserve.io_{one}.yaml" for one in MORE)
    knatives = _read(knative / "config/core/300-resources/service.yaml")
    define(cluster, [*definitions(), *_read(*more), *knatives])
    names = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one}} for one in NAMESPACES]
    _apply(cluster, [*names, *_settings(home)])
    port, health = _free_port(), _free_port()
    certificate = _certificate(folder / "k8s-webhook-server" / "serving-certs")
    command = [
        "env", f"KUBECONFIG={cluster.config}", f"TMPDIR={folder}", "POD_NAMESPACE=kserve",
        program, "--leader-elect=false", "--metrics-addr=0", f"--webhook-port={port}",
        f"--health-probe-addr=127.0.0.1:{health}",
    ]  # fmt: skip
    log = folder / "controller.log"
    with _process(command, log) as running:
        _wait_until_ready(running, health, log)
        _apply(cluster, _webhooks(home, port, certificate))
        yield cluster


def module_folder(name: str) -> Path:
    """Where a module lies that KServe's controller is built with."""
    done = subprocess.run(
        [find_go(), "mod", "download", "-json", name], cwd=MODULE, check=True, capture_output=True
    )
    return Path(json.loads(done.stdout)["Dir"])


def _read(*files: Path) -> list[dict]:
    texts = (file.read_text(encoding="utf-8") for file in files)
    return [one for text in texts for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def _apply(cluster: Cluster, objects: list[dict]) -> None:
    answer = cluster.kubectl("apply", "--server-side", "-f", "-", given=objects)
    assert answer.ok, answer.error


def _settings(home: Path) -> list[dict]:
    """KServe's own settings, with routes of the Gateway API, and its storage initializer with our patch."""
    config = _read(home / "config/configmap/inferenceservice.yaml")[0]
    config["metadata"]["namespace"] = "kserve"
    ingress = json.loads(config["data"]["ingress"])
    changed = ingress | {"enableGatewayApi": True, "disableIstioVirtualHost": True}
    config["data"]["ingress"] = json.dumps(changed)
    storage = _read(home / "config/storagecontainers/default.yaml")[0]
    patch = _read(ROOT / "manifests" / "platform" / "storage-initializer.yaml")[0]
    storage["spec"]["container"] |= patch["spec"]["container"]
    about = {"name": "config-autoscaler", "namespace": "knative-serving"}
    return [config, storage, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {}}]


def _webhooks(home: Path, port: int, certificate: bytes) -> list[dict]:
    """KServe's webhooks, asked on loopback."""
    found = _read(home / "config/webhook/manifests.yaml")
    for one in found:
        for hook in one["webhooks"]:
            path = hook["clientConfig"]["service"]["path"]
            bundle = base64.b64encode(certificate).decode()
            hook["clientConfig"] = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": bundle}
            hook["admissionReviewVersions"] = ["v1", "v1beta1"]
        one["metadata"].pop("creationTimestamp", None)
    return found


def _certificate(folder: Path) -> bytes:
    """Write a self-signed pair for 127.0.0.1 where the manager looks for it, and return the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.PrivateFormat.PKCS8
    folder.mkdir(parents=True)
    encoded = made.public_bytes(serialization.Encoding.PEM)
    (folder / "tls.crt").write_bytes(encoded)
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    return encoded


def _wait_until_ready(running: subprocess.Popen, health: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{health}/readyz", timeout=5):
                return
        except OSError:
            if running.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8")[-3000:]
                raise RuntimeError(f"KServe's controller is not ready: {said}") from None
            time.sleep(0.2)

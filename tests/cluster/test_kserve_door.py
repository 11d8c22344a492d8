"""The door `deploy_model` on KServe: golden requests go to real servers in the places of pods.

The names that KServe gives its addresses lead to them; which one a name leads to is read from what KServe's
controller wrote, as a Service or Knative's route would follow it.
"""

import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from components.common.artifacts import read_endpoint, write_golden_requests
from components.deployment.component import deploy_model, promote, roll_back
from tests.cluster.nodes import DEPLOYMENTS, NAMESPACE, SERVICES, URI
from tests.cluster.server import _free_port
from tests.cluster.test_kserve_release import live
from tests.house import ROOT
from tests.tiny_model import golden_rows, write_tiny_model

pytestmark = pytest.mark.cluster
STORE = "minio://mlpipeline/"
WEIGHTS = {"first": 1.0, "second": 2.0}


@pytest.fixture(scope="module")
def pods(tmp_path_factory):
    """A server for each model, as its pod would have it: ports by the addresses of models."""
    root, started, ports = tmp_path_factory.mktemp("pods"), [], {}
    for name, weight in WEIGHTS.items():
        folder = write_tiny_model(root / name, weight=weight)
        write_golden_requests(root / f"{name}-golden", golden_rows(weight))
        port = _free_port()
        command = [sys.executable, "-m", "components.serving.server", f"--model={folder}", "--name=flights"]
        ports[f"s3://mlpipeline/{name}"] = port
        command += [f"--port={port}", "--end-with-stdin"]
        with (root / f"{name}.log").open("wb") as log:
            started.append(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=log))
    yield SimpleNamespace(root=root, ports=ports)
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)


@pytest.fixture
def named(pods, played, monkeypatch):
    """Names of the cluster lead to the servers of the models that are behind them."""
    known = socket.getaddrinfo

    def look_up(host, port, *rest, **more):
        service = str(host).partition(".")[0]
        if not str(host).endswith(f".{NAMESPACE}.svc.cluster.local"):
            return known(host, port, *rest, **more)
        found = known("127.0.0.1", pods.ports[_model(played, service)], *rest, **more)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _model(played, service):
    """Which model a name leads to, by its address in the store."""
    if "Knative" not in str(live(played)["metadata"]["annotations"]):
        template = played.ask("GET", f"{DEPLOYMENTS}/{service}")["spec"]["template"]
        return template["metadata"]["annotations"][URI]
    traffic = played.ask("GET", f"{SERVICES}/flights-predictor")["status"]["traffic"]
    tag = next((tag for tag in ("latest", "prev") if service.startswith(f"{tag}-")), None)
    chosen = [one for one in traffic if (one.get("tag") == tag if tag else one["percent"] == 100)]
    return dict(played.revisions["flights-predictor"])[chosen[0]["revisionName"]]


@pytest.fixture
def door(installed, target_of, pods, named, tmp_path, monkeypatch):
    """The door with the deployer's token where a run has it mounted; returns what it wrote."""
    token = installed.kubectl("create", "token", "millrace-deployer", "--namespace=millrace").out.strip()
    told = yaml.safe_load(installed.config.read_text(encoding="utf-8"))
    told["users"][0]["user"] = {"token": token}
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump(told), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(config))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(config))
    monkeypatch.delenv("MILLRACE_SUPERVISOR", raising=False)

    def deploy(name, **options):
        folder = tmp_path / f"endpoint-{name}"
        model = SimpleNamespace(path=str(pods.root / name), uri=f"{STORE}{name}")
        golden = SimpleNamespace(path=str(pods.root / f"{name}-golden"))
        endpoint = SimpleNamespace(path=str(folder), uri=str(folder), metadata={})
        knobs = {"timeout_seconds": 60.0, **options}
        deploy_model.python_func(
            evaluated_model=model,
            golden_requests=golden,
            model_name="flights",
            endpoint=endpoint,
            options=knobs,
        )
        return read_endpoint(folder)

    return deploy


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_the_door_releases_beside_by_parameters_alone(door, mode, capfd):
    options = {"strategy": "canary", "kserve": {"mode": mode}}
    first = door("first", **options)
    assert (first.target, first.golden_requests) == ("kserve", 4)
    second = door("second", **options)
    assert second.traffic == {second.revision: 100}
    assert second.model_uri == f"{STORE}second"
    said = capfd.readouterr().out
    assert f"revision {second.revision} of `flights` is ready and answers 4 golden requests" in said


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_model_that_answers_otherwise_is_taken_back(door, pods, played, mode, capfd):
    options = {"strategy": "replace", "kserve": {"mode": mode}}
    first = door("first", **options)
    swapped = dict(zip(pods.ports, reversed(pods.ports.values()), strict=True))
    pods.ports["s3://mlpipeline/second"], kept = (
        swapped["s3://mlpipeline/second"],
        pods.ports["s3://mlpipeline/second"],
    )
    try:
        with pytest.raises(SystemExit) as ended:
            door("second", **options)
    finally:
        pods.ports["s3://mlpipeline/second"] = kept
    assert ended.value.code == 3
    assert "answers otherwise than the judged model" in capfd.readouterr().err
    assert live(played)["spec"]["predictor"]["labels"]["millrace/revision"] == first.revision


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_what_was_held_is_promoted_by_hand_and_rolled_back(door, target_of, tmp_path, mode):
    options = {"strategy": "canary", "kserve": {"mode": mode}, "timeout_seconds": 60.0}
    first = door("first", **options)
    soon = {"interval_seconds": 0.1, "deadline_seconds": 0.5, "steps": [25, 100]}
    with pytest.raises(SystemExit) as held:  # nobody counts its requests, so that it cannot be judged
        door("second", **options, **soon)
    assert held.value.code == 3
    observed = target_of(**options).observe("flights")
    assert observed.stable.revision == first.revision
    assert observed.weights == {first.revision: 75, observed.canary.revision: 25}
    endpoint = SimpleNamespace(path=str(tmp_path / "promoted"), uri="", metadata={})
    promote.python_func(model_name="flights", endpoint=endpoint, options=options)
    assert target_of(**options).observe("flights").weights == {observed.canary.revision: 100}
    endpoint = SimpleNamespace(path=str(tmp_path / "former"), uri="", metadata={})
    roll_back.python_func(model_name="flights", endpoint=endpoint, options=options)
    assert target_of(**options).observe("flights").weights == {first.revision: 100}

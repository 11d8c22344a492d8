"""Real model servers in the places of pods, and which of them a name of the cluster leads to.

That is read from what KServe's controller wrote, as a Service, a route of the Gateway API or one of Knative
would follow it.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.common.golden import write_golden_requests
from tests.cluster.nodes import DEPLOYMENTS, NAMESPACE, OWN, ROUTES, SERVICES, URI, Nodes
from tests.cluster.server import _free_port
from tests.house import ROOT
from tests.tiny_model import golden_rows, write_tiny_model

STORE = "mlpipeline"  # the bucket of the models
WEIGHTS = {"first": 1.0, "second": 2.0}
INSIDE, OUTSIDE = f".{NAMESPACE}.svc.cluster.local", ".example.com"


@dataclass(frozen=True)
class Answering:
    """The models and their servers.

    Attributes:
        root: Each model's folder, by its name, and its golden requests, as `NAME-golden`.
        ports: Where the server of a model listens, by the model's address in the store.
    """

    root: Path
    ports: dict[str, int]


@contextmanager
def answering(root: Path) -> Iterator[Answering]:
    """Have a server answer for each model, as its pod would have it."""
    started, ports = [], {}
    for name, weight in WEIGHTS.items():
        folder = write_tiny_model(root / name, weight=weight)
        write_golden_requests(root / f"{name}-golden", golden_rows(weight))
        port = _free_port()
        command = [sys.executable, "-m", "components.serving.server", f"--model={folder}", "--name=flights"]
        ports[f"s3://{STORE}/{name}"] = port
        command += [f"--port={port}", "--end-with-stdin"]
        with (root / f"{name}.log").open("wb") as log:
            started.append(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=log))
    yield Answering(root, ports)
    for process in started:
        process.stdin.close()
        process.wait(timeout=30)


def model_behind(played: Nodes, host: str) -> str:
    """Which model a name leads to, by its address in the store."""
    service = _routed(played, host) if host.endswith(OUTSIDE) else host.partition(".")[0]
    if "Knative" not in str(played.ask("GET", f"{OWN}/flights")["metadata"]["annotations"]):
        template = played.ask("GET", f"{DEPLOYMENTS}/{service}")["spec"]["template"]
        return template["metadata"]["annotations"][URI]
    traffic = played.ask("GET", f"{SERVICES}/flights-predictor")["status"]["traffic"]
    tag = next((tag for tag in ("latest", "prev") if service.startswith(f"{tag}-")), None)
    chosen = [one for one in traffic if (one.get("tag") == tag if tag else one["percent"] == 100)]
    return dict(played.revisions["flights-predictor"])[chosen[0]["revisionName"]]


def _routed(played: Nodes, host: str) -> str:
    """The Service behind a name at the gateway."""
    routes = played.ask("GET", ROUTES)["items"]
    (route,) = [one for one in routes if host in one["spec"]["hostnames"]]
    (rule,) = route["spec"]["rules"]
    (backend,) = rule["backendRefs"]
    return backend["name"]

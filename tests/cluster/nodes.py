"""What nodes and the controllers beside KServe's would do, played: each model behaves as it was told to.

Deployments roll out with the conditions and reasons of Kubernetes' own controller (its
`pkg/controller/deployment/progress.go`), routes are accepted, and services of Knative have revisions,
ready or not, and traffic, as its API says (`pkg/apis/serving/v1/service_types.go`).
"""

import hashlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
import yaml

from tests.cluster.server import Cluster

NAMESPACE = "millrace-serving"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
OWN = f"/apis/serving.kserve.io/v1beta1/namespaces/{NAMESPACE}/inferenceservices"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
HPA = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
ROUTES = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes"
SERVICES = f"/apis/serving.knative.dev/v1/namespaces/{NAMESPACE}/services"
URI = "internal.serving.kserve.io/storage-initializer-sourceuri"  # of pods, by KServe
SECONDS = 0.15


class Nodes:
    """Nodes of a cluster.

    Attributes:
        behaviour: By the address of a model: `ready` (if nothing is said), `slow`, `failing`, `dying` (it
            was ready, and is no more), or `flapping`: by turns `ready` and `dying`.
        turn: How long a turn of those takes. Seconds.
        most: By the address of a model: of how many pods of a Deployment there is room, if not of all.
        revisions: Knative's revisions by service: their names and addresses of models, oldest first.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Play the nodes of a cluster."""
        told = yaml.safe_load(cluster.config.read_text(encoding="utf-8"))
        self._host = told["clusters"][0]["cluster"]["server"]
        self._token = told["users"][0]["user"]["token"]
        self._pool = urllib3.PoolManager(cert_reqs="CERT_NONE", maxsize=4)
        urllib3.disable_warnings()
        self.behaviour: dict[str, str] = {}
        self.turn = 1.0
        self.most: dict[str, int] = {}
        self.revisions: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._templates: dict[str, str] = {}
        self._ready: dict[str, str] = {}  # by Deployment or service: whose pods are ready
        self._complete: dict[str, str] = {}  # by Deployment: the template that was rolled out last

    def ask(self, method: str, path: str, body: Any = None, kind: str = "json") -> Any:
        """Ask the API server as its administrator."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": f"application/{kind}"}
        data = None if body is None else json.dumps(body)
        answer = self._pool.request(method, f"{self._host}{path}", body=data, headers=headers)
        content = json.loads(answer.data)
        assert answer.status < 300 or answer.status in (404, 409), content
        return content

    def versions(self, folder: str, since: str) -> list[Any]:
        """Every version that the objects of a folder have had since a `resourceVersion`, oldest first."""
        path = f"{folder}?watch=1&resourceVersion={since}&timeoutSeconds=1"
        headers = {"Authorization": f"Bearer {self._token}"}
        lines = self._pool.request("GET", f"{self._host}{path}", headers=headers).data.splitlines()
        events = [json.loads(line) for line in lines]
        assert all(one["type"] in ("ADDED", "MODIFIED", "DELETED") for one in events), events
        return [one["object"] for one in events]

    def look(self) -> None:
        """Do once what there is to do."""
        scaled = {_scales(one): one["spec"]["minReplicas"] for one in self.ask("GET", HPA).get("items", [])}
        for one in self.ask("GET", DEPLOYMENTS).get("items", []):
            self._say(DEPLOYMENTS, one, self._deployment(one, scaled.get(one["metadata"]["name"], 1)))
        for one in self.ask("GET", ROUTES).get("items", []):
            self._say(ROUTES, one, _accepted(one))
        for one in self.ask("GET", SERVICES).get("items", []):
            self._say(SERVICES, one, self._service(one))

    def _say(self, folder: str, one: dict, status: dict) -> None:
        if one.get("status") != status:
            path = f"{folder}/{one['metadata']['name']}/status"
            gone = dict.fromkeys(one.get("status", {}).keys() - status.keys())
            self.ask("PATCH", path, {"status": {**gone, **status}}, "merge-patch+json")

    def _behaves(self, template: dict) -> str:
        told = self.behaviour.get(_address(template), "ready")
        turns = ("ready", "dying")
        return turns[int(time.monotonic() / self.turn) % 2] if told == "flapping" else told

    def _deployment(self, one: dict, wanted: int) -> dict:
        name, template = one["metadata"]["name"], one["spec"]["template"]
        replica_set = f"{name}-{_digest(template)}"
        behaves = self._behaves(template)
        if behaves == "ready":
            self._ready[name] = self._complete[name] = replica_set
        elif behaves == "dying":
            self._ready.pop(name, None)
        room = self.most.get(_address(template), wanted)
        available = min(room, wanted) if name in self._ready else 0
        said = f'ReplicaSet "{replica_set}"'
        if self._complete.get(name) == replica_set:  # it stays so when its pods die
            told = ("True", "NewReplicaSetAvailable", f"{said} has successfully progressed.")
        elif behaves == "failing":
            told = ("False", "ProgressDeadlineExceeded", f"{said} has timed out progressing.")
        else:
            told = ("True", "ReplicaSetUpdated", f"{said} is progressing.")
        has = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        lacks = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        is_there = has if available else lacks
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), available)
        return {
            "observedGeneration": one["metadata"]["generation"],
            "conditions": [_condition("Available", *is_there), _condition("Progressing", *told)],
            **{name: count for name, count in counts.items() if count},
        }

    def _service(self, one: dict) -> dict:
        name, template = one["metadata"]["name"], one["spec"]["template"]
        digest, found = _digest(template), self.revisions[name]
        if self._templates.get(name) != digest:
            self._templates[name] = digest
            found.append((f"{name}-{len(found) + 1:05d}", _address(template)))
        created = found[-1][0]
        behaves = self._behaves(template)
        if behaves == "ready":
            self._ready[name] = created
        ready = self._ready.get(name, "")  # it stays the latest ready one when it fails
        traffic = [_target(entry, ready, name) for entry in one["spec"]["traffic"]] if ready else []
        well = ("True", "", "")
        if behaves in ("failing", "dying"):
            said = f'Revision "{created}" failed with message: Container exited 1.'
            well = ("False", "RevisionFailed", said)
        elif created != ready:
            well = ("Unknown", "", "")
        conditions = [_condition(kind, *well) for kind in ("ConfigurationsReady", "Ready")]
        routes = _condition("RoutesReady", "True" if ready else "Unknown", "", "")
        host = f"{name}.{NAMESPACE}"
        return {
            "observedGeneration": one["metadata"]["generation"], "latestCreatedRevisionName": created,
            "conditions": [*conditions, routes], "url": f"http://{host}.example.com",
            "address": {"url": f"http://{host}.svc.cluster.local"}, "traffic": traffic,
            **({"latestReadyRevisionName": ready} if ready else {}),
        }  # fmt: skip


@contextmanager
def nodes(cluster: Cluster) -> Iterator[Nodes]:
    """Have nodes work in the background."""
    found, ended = Nodes(cluster), threading.Event()
    problems: list[BaseException] = []

    def work() -> None:
        while not ended.is_set():
            try:
                found.look()
            except (AssertionError, urllib3.exceptions.HTTPError) as problem:
                problems.append(problem)
            time.sleep(SECONDS)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield found
    finally:
        ended.set()
        worker.join()
    assert not problems, problems[0]


def _condition(kind: str, status: str, reason: str, message: str) -> dict:
    told = {"type": kind, "status": status} | ({"reason": reason} if reason else {})
    return told | ({"message": message} if message else {})


def _accepted(route: dict) -> dict:
    parents = [
        {
            "parentRef": parent, "controllerName": "tests.example/gateway",
            "conditions": [
                {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
                 "lastTransitionTime": "2026-01-01T00:00:00Z"},
            ],
        }
        for parent in route["spec"]["parentRefs"]
    ]  # fmt: skip
    return {"parents": parents}


def _target(entry: dict, ready: str, name: str) -> dict:
    found = {"revisionName": ready, **{key: value for key, value in entry.items() if value is not None}}
    if entry.get("tag"):
        found["url"] = f"http://{entry['tag']}-{name}.{NAMESPACE}.example.com"
    return found


def _address(template: dict) -> str:
    return template["metadata"].get("annotations", {}).get(URI, "")


def _scales(scaler: dict) -> str:
    return scaler["spec"]["scaleTargetRef"]["name"]


def _digest(template: dict) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def await_so(is_so: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)

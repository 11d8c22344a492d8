"""A Kubernetes API played in memory: Leases, InferenceServices of the mode Standard, and their status."""

import copy
import json
from hashlib import sha256

from components.deployment.kserve_api import StaleError
from tests.components.deployment.test_kserve_schema import Published


class PlayedCluster:
    """Answers as `Kubernetes` does.

    Attributes:
        objects: By path.
        applied: What was applied and is no dry-run, one after the other.
        meddlers: Called one after the other, before a write: what others do meanwhile.
        servers: How many each canary has.
        is_rolled_out: Whether KServe has taken up the newest spec, and its pods are ready.
    """

    host = "http://127.0.0.1:9"

    def __init__(self):
        self.objects, self.applied, self.meddlers, self.is_rolled_out = {}, [], [], True
        self.servers, self._versions, self._published = 9, 0, Published("canary", "resourceClaims")

    def read(self, path, **_):
        if path.startswith("/openapi"):
            return self._published.read(path)
        if path.startswith("/apis/apps"):
            return {"status": {"availableReplicas": self.servers}}
        found = copy.deepcopy(self.objects.get(path))
        if found is not None and "predictor" in found.get("spec", {}) and self.is_rolled_out:
            self.objects[path]["status"] = found["status"] = _status(found)
        return found

    def apply(self, path, document, *, dry_run=False):
        return self._write(path, document, dry_run=dry_run)

    def create(self, folder, document):
        return self._write(f"{folder}/{document['metadata']['name']}", document)

    def replace(self, path, document):
        return self._write(path, document)

    def _write(self, path, document, *, dry_run=False):
        if self.meddlers and "inferenceservices" in path:
            self.meddlers.pop(0)(self, path)
        before = self.objects.get(path, {"metadata": {}})["metadata"]
        told = document["metadata"].get("resourceVersion")
        if told is not None and told != before.get("resourceVersion"):
            raise StaleError("it was changed meanwhile")
        if dry_run:
            return document
        made = copy.deepcopy(document)
        self._versions += 1
        about = {"resourceVersion": str(self._versions), "generation": before.get("generation", 0) + 1}
        annotations = {f"f:{name}": {} for name in document["metadata"].get("annotations", {})}
        fields = {"f:spec": {}, "f:metadata": {"f:labels": {}, "f:annotations": annotations}}
        entry = {"manager": "millrace", "operation": "Apply", "fieldsV1": fields}
        made["metadata"] |= {**about, "uid": "u", "managedFields": [entry]}
        made["status"] = self.objects.get(path, {}).get("status", {})
        self.objects[path] = made
        self.applied.append(document)
        return made

    def touch(self, path):
        """Change an object as somebody else does."""
        self._versions += 1
        self.objects[path]["metadata"]["resourceVersion"] = str(self._versions)


def _status(found):
    digest = sha256(json.dumps(found["spec"]["predictor"], sort_keys=True).encode()).hexdigest()[:9]
    done = {"reason": "NewReplicaSetAvailable", "message": f'ReplicaSet "{digest}" has progressed.'}
    told = [
        {"type": "PredictorReady", "status": "True", **done},
        {"type": "IngressReady", "status": "True"},
    ]
    canaries = [
        {"name": one["predictor"]["name"], "trafficPercent": one["trafficPercent"], "ready": True}
        for one in found["spec"].get("canary", [])
    ]
    address = {"url": "http://flights-predictor.n.svc.cluster.local"}
    about = {"observedGeneration": found["metadata"]["generation"], "address": address}
    return {**about, "conditions": told, "canaryStatuses": canaries}

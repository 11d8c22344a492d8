"""The target `kserve`: an InferenceService of KServe, through the Kubernetes API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from components.common.errors import BadInputError, UnavailableError
from components.deployment.config import DeployConfig
from components.deployment.kserve_addresses import Addresses
from components.deployment.kserve_api import MANAGER, Kubernetes, StaleError
from components.deployment.kserve_change import (
    applied,
    before,
    dropped,
    promoted,
    restored,
    settled,
    shared,
    takes_back,
)
from components.deployment.kserve_claim import LEASE_SECONDS, Claim, Claims
from components.deployment.kserve_document import (
    STOP,
    Document,
    is_stopped,
    mark_of,
    mode_of,
    owned,
    release_of,
    service,
    state_of,
)
from components.deployment.kserve_refusals import require_kept, require_ours, require_possible
from components.deployment.kserve_state import Found, is_back, is_held_back, observation
from components.deployment.kserve_tally import tallies
from components.deployment.kserve_words import explain
from components.deployment.tally import Tally
from components.deployment.target import Observation, Wanted

_SECONDS_BETWEEN = 0.5  # looks at the InferenceService
_TAKEN_SECONDS = 60.0  # longest time that KServe's controller takes to see a change
_ATTEMPTS = 5
_STALE_SECONDS = 0.2  # before the next one
_RENEWAL_SECONDS = LEASE_SECONDS / 3
_OURS = "app.kubernetes.io/managed-by=millrace"


class KServeTarget:
    """Deploys through the Kubernetes API; see `Target`."""

    def __init__(self, cluster: Kubernetes, config: DeployConfig) -> None:
        """Deploy to a cluster."""
        self._cluster, self._config = cluster, config
        self._kserve = config.kserve_config()
        self._claims = Claims(cluster, self._kserve.namespace)
        self._namespace = f"/namespaces/{self._kserve.namespace}"
        self._folder = f"/apis/serving.kserve.io/v1beta1{self._namespace}/inferenceservices"
        self._looked = 0.0
        self._held: dict[str, tuple[str, float]] = {}  # by name: who holds the claim, and since when

    @classmethod
    def connect(cls, config: DeployConfig) -> KServeTarget:
        """Deploy to the cluster that this process is in, or that the kubeconfig names.

        Raises:
            UnavailableError: There is none.
        """
        return cls(Kubernetes.connect(), config)

    def plan(self, wanted: Wanted) -> None:
        """Find out whether the release can be honoured, by schemas and a strict dry-run; see `Target`."""
        live = self._read(wanted.name)
        if live is not None:
            require_ours(live, owned(live, MANAGER), config=self._kserve)
        require_possible(self._cluster, self._config, wanted)
        found = self._find(wanted.name)
        for one in found.there if found is not None else []:
            require_kept(one, wanted, self._kserve)
        self._change(wanted.name, partial(self._applied, wanted), is_new=True, dry_run=True)

    def claim(self, model_name: str, holder: str) -> None:
        """Take or renew the Lease of a name, which looking renews, too; see `Target`."""
        self._claims.take(model_name, holder)
        self._held[model_name] = holder, time.monotonic()

    def unclaim(self, model_name: str, holder: str) -> None:
        """Give the Lease of a name back; see `Target`."""
        self._held.pop(model_name, None)
        self._claims.give_back(model_name, holder)

    def names(self) -> Sequence[str]:
        """Return the names of our InferenceServices; see `Target`."""
        found = self._cluster.read(self._folder, labelSelector=_OURS) or {}
        return sorted(one["metadata"]["name"] for one in found.get("items", []))

    def observe(self, model_name: str) -> Observation:
        """Return what is deployed now; see `Target`."""
        time.sleep(max(0.0, self._looked + _SECONDS_BETWEEN - time.monotonic()))
        self._looked = time.monotonic()
        claim = self._claims.read(model_name)
        found = self._found(self._read(model_name), claim)
        if found is None:
            return Observation(holder=claim.holder)
        addresses = Addresses(
            model_name, is_external=self._kserve.address == "external", grpc_port=self._kserve.grpc_port
        )
        return observation(found, addresses, partial(self._explain, found), claim.holder)

    def apply(self, wanted: Wanted) -> None:
        """Have a model's servers started beside the others, or in their place; see `Target`."""
        found = self._find(wanted.name)
        if found is not None and is_held_back(found):
            is_beside = self._config.strategy == "canary" and self._kserve.mode == "Standard"
            if is_beside or release_of(found.stable).revision == wanted.revision:
                self._restore(wanted.name, found)
        self._change(wanted.name, partial(self._begun, wanted), is_new=True)

    def weigh(self, model_name: str, weights: Mapping[str, int]) -> None:
        """Share the requests, and wait until KServe's controller has taken it up; see `Target`."""
        found = _deployed(self._find(model_name), model_name)
        for one in (entry["predictor"] for entry in found.canaries):
            if weights.get(release_of(one).revision):
                self._await_servers(model_name, one)
        self._change(model_name, lambda found: shared(_deployed(found, model_name), weights))
        self._await(model_name, lambda found: found.is_taken_up, "KServe has not taken up the shares")
        if takes_back(found, weights) and not is_held_back(found):
            told = "KServe has not taken up the model from before"
            self._await(model_name, partial(is_back, left=found), told)

    def remove(self, model_name: str, revision: str) -> None:
        """End a revision without a share; what is left alone is released; see `Target`."""
        found = _deployed(self._find(model_name), model_name)
        is_one = revision == release_of(found.one).revision
        if found.canaries:
            self._change(model_name, partial(_promoted_or_dropped, revision, is_one))
            self._mark(model_name)
        elif found.previous is not None and is_one:
            self._restore(model_name, found)
        elif found.previous is not None:
            self._mark(model_name)
            self._change(model_name, lambda found: settled(_deployed(found, model_name)))
        elif is_one and not state_of(found.one).get("released"):  # nothing that was served is ever stopped
            self._change(model_name, lambda found: _deployed(found, model_name).spec, stop=True)

    def tally(self, model_name: str) -> Mapping[str, Mapping[str, Tally]]:
        """Return what Prometheus counted; see `Target`.

        Raises:
            BadInputError: No Prometheus is named.
        """
        if self._kserve.prometheus is None:
            fix = "name one whose counts releases are to be judged by"
            raise BadInputError(
                "nothing counts requests", where="parameter `deploy.kserve.prometheus`", fix=fix
            )
        return tallies(self._kserve.prometheus, self._kserve.namespace, model_name)

    def _applied(self, wanted: Wanted, found: Found | None) -> Document:
        return applied(found, wanted, self._kserve, is_canary=self._config.strategy == "canary")

    def _begun(self, wanted: Wanted, found: Found | None) -> Document:
        """Return the spec with a model, after writing down whose place it takes."""
        spec = self._applied(wanted, found)
        until = state_of(spec["predictor"]).get("since", {}).get("applied")
        if found is not None and until not in (None, state_of(found.one).get("since", {}).get("applied")):
            self._claims.remember(wanted.name, before(found, wanted), until)
        return spec

    def _mark(self, model_name: str) -> None:
        """Write down that the predictor is released."""
        self._claims.mark(model_name, mark_of(_deployed(self._find(model_name), model_name).one))

    def _restore(self, model_name: str, found: Found) -> None:
        """Put the predictor from before back; under Knative that is a new revision, which must start."""
        failed = found.part.get("latestCreatedRevision")
        previous = found.stable
        self._change(model_name, lambda found: restored(previous, _deployed(found, model_name)))
        if found.mode == "Knative":
            told = "KServe has not taken up the model from before"
            self._await(model_name, lambda found: found.is_latest_ready(failed), told)
            self._change(model_name, lambda found: settled(_deployed(found, model_name)))

    def _read(self, model_name: str) -> Document | None:
        holder, since = self._held.get(model_name, ("", 0.0))
        if holder and time.monotonic() - since > _RENEWAL_SECONDS:
            self.claim(model_name, holder)
        return self._cluster.read(f"{self._folder}/{model_name}")

    def _find(self, model_name: str) -> Found | None:
        return self._found(self._read(model_name), self._claims.read(model_name))

    def _found(self, live: Document | None, claim: Claim) -> Found | None:
        """Return an InferenceService of ours that is not stopped, or None."""
        spec = {} if live is None else owned(live, MANAGER).get("spec", {})
        if live is None or not spec or is_stopped(live):
            return None
        return Found(live=live, spec=spec, mode=mode_of(live, self._kserve.mode), claim=claim)

    def _change(
        self, model_name: str, change: Callable[[Found | None], Document], *,
        is_new: bool = False, dry_run: bool = False, stop: bool = False,
    ) -> None:  # fmt: skip
        """Apply a change to what is there; again when somebody else has changed it meanwhile.

        A new model is served by the knobs of now; whatever else is done, mode and autoscaler stay.
        """
        for _ in range(_ATTEMPTS):
            live, claim = self._read(model_name), self._claims.read(model_name)
            if stop and live is not None and is_stopped(live):  # by an attempt without an answer
                return
            document = service(model_name, self._kserve, change(self._found(live, claim)), is_stopped=stop)
            if live is not None and not is_new:
                kept = owned(live, MANAGER)["metadata"]["annotations"]
                document["metadata"]["annotations"] = {**kept, **({STOP: "true"} if stop else {})}
            try:
                self._send(document, live, dry_run=dry_run)
                return
            except StaleError:
                time.sleep(_STALE_SECONDS)
        what = "others keep changing the InferenceService"
        raise UnavailableError(what, where=model_name, fix="see who, by its metadata.managedFields")

    def _send(self, document: Document, live: Document | None, *, dry_run: bool) -> None:
        """Apply a document, if it is another than the one that is there."""
        if live is not None:
            ours = owned(live, MANAGER)
            told = {key: document["metadata"][key] for key in ("labels", "annotations")}
            if not dry_run and (ours.get("spec"), ours.get("metadata")) == (document["spec"], told):
                return
            document["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        self._cluster.apply(f"{self._folder}/{document['metadata']['name']}", document, dry_run=dry_run)

    def _await(self, model_name: str, is_so: Callable[[Found], bool], what: str) -> None:
        deadline = time.monotonic() + max(_TAKEN_SECONDS, self._config.timeout_seconds)
        while not is_so(found := _deployed(self._find(model_name), model_name)):
            if time.monotonic() > deadline:
                told = f"{what} in time: {self._explain(found, '')}"
                fix = "look into KServe's controller, and whether there is room for its pods"
                raise UnavailableError(told, where=model_name, fix=fix)
            time.sleep(_SECONDS_BETWEEN)

    def _await_servers(self, model_name: str, one: Document) -> None:
        """Wait for all servers of a canary: KServe says that it is ready when it has one."""
        least, about = one["minReplicas"], f"{model_name}-{one['name']}-predictor"

        def are_there(_: Found) -> bool:
            found = self._cluster.read(f"/apis/apps/v1{self._namespace}/deployments/{about}") or {}
            return found.get("status", {}).get("availableReplicas", 0) >= least

        self._await(model_name, are_there, f"{about} has not had {least} servers at once")

    def _explain(self, found: Found, canary: str) -> str:
        events = self._cluster.read(f"/api/v1{self._namespace}/events", limit="500") or {}
        return explain(found.live, events.get("items", []), canary=canary)


def _promoted_or_dropped(revision: str, is_stable: bool, found: Found | None) -> Document:
    standing = _deployed(found, revision)
    return promoted(standing) if is_stable else dropped(standing, revision)


def _deployed(found: Found | None, model_name: str) -> Found:
    if found is None:
        raise BadInputError("nothing is deployed under this name", value=model_name)
    return found

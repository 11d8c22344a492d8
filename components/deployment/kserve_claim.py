"""Who is releasing under a name, and what was released: a Lease of Kubernetes beside the InferenceService.

KServe copies the annotations of an InferenceService to its pods: a change there would start new ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from components.common.errors import UnavailableError
from components.common.task_log import log_line
from components.deployment.kserve_api import Document, Kubernetes, StaleError
from components.deployment.target import ClaimedError

LEASE_SECONDS = 30
_SKEW_SECONDS = 300.0  # further apart no two clocks are: tokens and certificates would not hold, either
_LOOK_SECONDS = 1.0
_ATTEMPTS = 5
_MARK, _PREVIOUS = "millrace/released", "millrace/previous"
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"  # MicroTime


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What stands in the Lease of a name.

    Attributes:
        holder: Who is releasing now, or None.
        mark: What was released last, as `mark_of` names it, or None when that is not known.
        previous: The predictor whose place another took last, word for word, so that its pods are the same.
        until: The state of the InferenceService in which it did, which `since` of the other tells, too.
        doubted: A claim that is over by our clock, and maybe not by its holder's: who, and when he renewed.
        seconds: How long a claim holds that is not renewed.
    """

    holder: str | None = None
    mark: str | None = None
    previous: Document | None = None
    until: str | None = None
    doubted: tuple[str, str] | None = None
    seconds: float = LEASE_SECONDS


class Claims:
    """The Leases of one namespace."""

    def __init__(self, cluster: Kubernetes, namespace: str) -> None:
        """Keep them in a namespace."""
        self._cluster = cluster
        self._folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace = namespace

    def read(self, model_name: str) -> Claim:
        """Return what is claimed and marked now."""
        return _claim(self._read(model_name))

    def take(self, model_name: str, holder: str) -> None:
        """Take the claim on a name, or renew it.

        One that is over by our clock is watched first, as clocks differ: it is void when nobody has renewed
        it for its time by our monotonic clock.

        Raises:
            ClaimedError: Another holds it.
        """
        watched: tuple[str, str] | None = None

        def taken(claim: Claim) -> Claim | None:
            other = claim.holder or (claim.doubted or (None,))[0]
            if other in (None, holder) or (claim.doubted and claim.doubted == watched):
                return replace(claim, holder=holder)
            if claim.doubted and watched is None:
                return None
            fix = "wait until it has ended; a release that died is forgotten after half a minute"
            what = f"{other} is releasing a model under this name now"
            raise ClaimedError(what, where=model_name, fix=fix)

        if not self._change(model_name, taken):
            watched = self._watch(model_name)
            self._change(model_name, taken)

    def _watch(self, model_name: str) -> tuple[str, str]:
        """Watch a claim until it is void, or was changed; returns what it was at first."""
        claim, began = self.read(model_name), time.monotonic()
        doubted = claim.doubted or ("", "")
        if claim.doubted is not None:
            log_line(f"{doubted[0]} has not ended its release of `{model_name}`: waiting until it is void")
        while self.read(model_name).doubted == doubted and time.monotonic() < began + claim.seconds:
            time.sleep(_LOOK_SECONDS)
        return doubted

    def give_back(self, model_name: str, holder: str) -> None:
        """Give a claim back; nothing happens when the holder has none."""
        self._change(
            model_name, lambda claim: replace(claim, holder=None) if claim.holder == holder else None
        )

    def mark(self, model_name: str, mark: str) -> None:
        """Write down what is released."""
        self._change(model_name, lambda claim: None if claim.mark == mark else replace(claim, mark=mark))

    def remember(self, model_name: str, previous: Document, until: str) -> None:
        """Write down the predictor whose place another is about to take."""
        self._change(model_name, lambda claim: replace(claim, previous=previous, until=until))

    def _change(self, model_name: str, change: Callable[[Claim], Claim | None]) -> bool:
        """Write what a change makes of a claim; returns whether it makes something of it."""
        for _ in range(_ATTEMPTS):
            found = self._read(model_name)
            wanted = change(_claim(found))
            if wanted is None:
                return False
            try:
                self._write(model_name, found, wanted)
                return True
            except StaleError:  # somebody else wrote: see what
                continue
        raise UnavailableError(
            "others keep changing the lease of this name", where=model_name, fix="try again"
        )

    def _path(self, model_name: str) -> str:
        return f"{self._folder}/{_name(model_name)}"

    def _read(self, model_name: str) -> dict[str, Any] | None:
        return self._cluster.read(self._path(model_name))

    def _write(self, model_name: str, found: dict[str, Any] | None, claim: Claim) -> None:
        now = datetime.now(UTC).strftime(_FORM)
        about: dict[str, Any] = {"name": _name(model_name), "namespace": self._namespace}
        about["annotations"] = {_MARK: claim.mark} if claim.mark else {}
        if claim.previous is not None:
            kept = {"until": claim.until, "predictor": claim.previous}
            about["annotations"][_PREVIOUS] = json.dumps(kept, sort_keys=True, separators=(",", ":"))
        spec = {
            "holderIdentity": claim.holder or "",
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now,
        }
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about, "spec": spec}
        if found is None:
            self._cluster.create(self._folder, lease)
        else:
            about["resourceVersion"] = found["metadata"]["resourceVersion"]
            self._cluster.replace(self._path(model_name), lease)


def _name(model_name: str) -> str:
    return f"millrace-release-{model_name}"


def _claim(found: dict[str, Any] | None) -> Claim:
    if found is None:
        return Claim()
    spec, about = found.get("spec", {}), found["metadata"].get("annotations", {})
    kept = json.loads(about.get(_PREVIOUS, "{}"))
    claim = Claim(mark=about.get(_MARK), previous=kept.get("predictor"), until=kept.get("until"))
    if not spec.get("holderIdentity"):
        return claim
    holder, seconds = spec["holderIdentity"], spec["leaseDurationSeconds"]
    renewed = datetime.strptime(spec["renewTime"], _FORM).replace(tzinfo=UTC)
    passed = (datetime.now(UTC) - renewed).total_seconds()
    if passed < seconds:
        return replace(claim, holder=holder, seconds=seconds)
    is_doubted = passed < seconds + _SKEW_SECONDS
    return replace(claim, doubted=(holder, spec["renewTime"]) if is_doubted else None, seconds=seconds)

"""What is deployed, read out of an InferenceService: revisions, their shares, and whether they answer.

`Ready` of an InferenceService says nothing of a new revision: it stays true over one that is broken. Read
is instead: for a canary of the mode Standard its own `canaryStatuses[].ready`; in the mode Knative, that
the revision created last is the one that is ready; of a roll-out in the mode Standard, that the Deployment
tells of a complete ReplicaSet that is not the one before; it is so, too, of one that is put back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from components.deployment.kserve_addresses import Addresses
from components.deployment.kserve_claim import Claim
from components.deployment.kserve_document import (
    SHARE,
    Document,
    history,
    mark_of,
    release_of,
    releases,
    state_of,
)
from components.deployment.target import Observation, ObservedRevision

_FAILED = ("BlockedByFailedLoad", "InvalidSpec")
_COMPLETE = (
    "NewReplicaSetAvailable"  # these are reasons of a Deployment's conditions, which KServe hands on
)
_LATE, _AWAY = "ProgressDeadlineExceeded", "MinimumReplicasUnavailable"

Words = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Found:
    """An InferenceService as it is.

    Attributes:
        live: All of it.
        spec: The part of its spec that is ours.
        mode: In which it runs.
        claim: What is written beside it: who was released last, and whose place was taken.
    """

    live: Mapping[str, Any]
    spec: Document
    mode: str
    claim: Claim

    @property
    def one(self) -> Document:
        """The predictor."""
        return self.spec["predictor"]

    @property
    def canaries(self) -> list[Document]:
        """The entries of `spec.canary`."""
        return self.spec.get("canary", [])

    @property
    def there(self) -> list[Document]:
        """The predictor, and those of the canaries."""
        return [self.one, *(entry["predictor"] for entry in self.canaries)]

    @property
    def left(self) -> int:
        """The share in percent that the canaries leave."""
        return 100 - sum(each["trafficPercent"] for each in self.canaries)

    @property
    def previous(self) -> Document | None:
        """The predictor that was released before, while the present one is not."""
        until = state_of(self.one).get("since", {}).get("applied")
        if until is None or until != self.claim.until or self.claim.mark == mark_of(self.one):
            return None
        return self.claim.previous

    @property
    def stable(self) -> Document:
        """The predictor that was released last."""
        return self.previous or self.one

    @property
    def status(self) -> Mapping[str, Any]:
        """What KServe says."""
        return self.live.get("status", {})

    @property
    def part(self) -> Mapping[str, Any]:
        """What KServe says of the predictor."""
        return self.status.get("components", {}).get("predictor", {})

    @property
    def is_taken_up(self) -> bool:
        """Whether the shares that KServe tells are those that are asked for."""
        if self.canaries:
            told = {each["name"]: each["trafficPercent"] for each in self.status.get("canaryStatuses", [])}
            return told == {each["predictor"]["name"]: each["trafficPercent"] for each in self.canaries}
        share = self.one.get(SHARE)
        latest = [
            each.get("percent") for each in self.part.get("traffic", []) if each.get("latestRevision")
        ]
        return share is None or latest == [share]

    def is_latest_ready(self, but: str | None) -> bool:
        """Whether Knative's latest revision is another than the one named, and ready."""
        created = self.part.get("latestCreatedRevision")
        return created != but and created == self.part.get("latestReadyRevision")

    def condition(self, kind: str) -> Mapping[str, Any]:
        """Return a condition; an empty one when there is none."""
        told = self.status.get("conditions", [])
        return next((each for each in told if each["type"] == kind), {})


def since(found: Found) -> Document:
    """Return what will tell the change that is made now, and a status that is older than it."""
    about = found.live["metadata"]
    return {
        "applied": f"{about['uid']}/{about['generation']}",
        "created": found.part.get("latestCreatedRevision", ""),
        "generation": found.status.get("observedGeneration", 0),
        "complete": found.condition("PredictorReady").get("message", ""),
    }


def is_held_back(found: Found) -> bool:
    """Say whether a model that is not ready stands in the place of one that has all requests still."""
    return found.previous is not None and _replacing(found)[1] == 0


def is_back(found: Found, left: Found) -> bool:
    """Say whether the predictor from before serves again.

    Args:
        found: The InferenceService as it is now.
        left: As it was when another, which had all requests, was taken back.
    """
    before, seen = state_of(left.one)["since"], since(left)
    if found.mode == "Knative":
        return found.is_latest_ready(None if seen["created"] == before["created"] else seen["created"])
    told = found.condition("PredictorReady").get("message", "")
    is_later = found.status.get("observedGeneration", 0) > seen["generation"]
    is_another = told == before["complete"] or (is_later and told != seen["complete"])
    return _is_complete(found) and is_another


def observation(found: Found, addresses: Addresses, words: Words, holder: str | None) -> Observation:
    """Return what is deployed.

    Inside of the cluster KServe's address is, in the mode Standard, the stable predictor's Service, past
    all shares; so who was a canary and has it all is asked at its own. KServe tells that one, too, when it
    has taken up that it is promoted, and until then one that it is about to remove.

    Args:
        found: The InferenceService.
        addresses: Where it and its revisions are asked.
        words: Tells why what is named so in `spec.canary`, or the predictor, does not serve.
        holder: Who is releasing now.
    """
    revisions = [_predictor(found, addresses, words)]
    revisions += [_canary(found, entry, addresses, words) for entry in found.canaries]
    if found.previous is not None:
        revisions.append(_old(found, found.previous, found.left - revisions[0].weight, addresses))
    revisions = [replace(each, grpc=addresses.grpc(each.url)) for each in revisions]
    is_named = found.canaries or "name" in found.one
    alone = [each.url for each in revisions if each.weight == 100 and is_named]
    return Observation(
        url=next((url for url in alone if url), addresses.all(found.status)), revisions=tuple(revisions),
        released=releases(history(found.stable)), holder=holder,
    )  # fmt: skip


def _predictor(found: Found, addresses: Addresses, words: Words) -> ObservedRevision:
    state, weight = _standing(found), found.left
    url = addresses.of(found.status, found.one.get("name"))
    if found.previous is not None:
        state, share = _replacing(found)
        weight = share * weight // 100
        url = addresses.tagged(found.status, "latest") if found.mode == "Knative" else None
    reason = None if state == "ready" else words("")
    return _revision(found.one, state, reason, weight, url)


def _canary(found: Found, entry: Document, addresses: Addresses, words: Words) -> ObservedRevision:
    one = entry["predictor"]
    told = [each for each in found.status.get("canaryStatuses", []) if each["name"] == one["name"]]
    transitions = [each.get("modelStatus", {}).get("transitionStatus") for each in told]
    state = "failed" if any(each in _FAILED for each in transitions) else "starting"
    state = "ready" if any(each["ready"] for each in told) else state
    reason = None if state == "ready" else words(one["name"])
    url = addresses.of(found.status, one["name"])
    return _revision(one, state, reason, entry["trafficPercent"], url)


def _old(found: Found, one: Document, weight: int, addresses: Addresses) -> ObservedRevision:
    """Return the one before: it serves until the new one is ready (Standard), or has it all."""
    url = addresses.tagged(found.status, "prev") if found.mode == "Knative" else None
    return _revision(one, "ready", None, weight, url)


def _standing(found: Found) -> str:
    """Say how a predictor is that has nothing before it, or was released."""
    if _has_failed(found):
        return "failed"
    needed = [found.condition(kind).get("status") for kind in ("PredictorReady", "IngressReady")]
    is_settled = found.is_latest_ready(None) if found.mode == "Knative" else _is_complete(found)
    return "ready" if needed == ["True", "True"] and is_settled else "starting"


def _is_complete(found: Found) -> bool:
    """Say whether the roll-out of a Deployment is complete: `True` alone may be told of the pods before."""
    told = found.condition("PredictorReady")
    return (told.get("status"), told.get("reason")) == ("True", _COMPLETE)


def _replacing(found: Found) -> tuple[str, int]:
    """Say how a predictor is that takes the place of another, and its share."""
    before, share = state_of(found.one)["since"], found.one.get(SHARE, 100)
    if found.mode == "Knative":
        created = found.part.get("latestCreatedRevision", "")
        if created in ("", before["created"]):
            return "starting", share
        if found.part.get("latestReadyRevision") == created:
            return "failed" if _is_broken(found) else "ready", share
        state = "failed" if _has_failed(found) else "starting"
        return state, share if SHARE in found.one else 0
    told = found.condition("PredictorReady")
    if found.status.get("observedGeneration", 0) <= before["generation"]:
        return "starting", 0
    if _is_complete(found) and told["message"] != before["complete"]:
        return "ready", 100
    return "failed" if _has_failed(found) else "starting", 100 if told.get("reason") == _AWAY else 0


def _has_failed(found: Found) -> bool:
    transition = found.status.get("modelStatus", {}).get("transitionStatus")
    is_late = found.condition("PredictorReady").get("reason") == _LATE
    return transition in _FAILED or is_late or _is_broken(found)


def _is_broken(found: Found) -> bool:
    """Say whether Knative's latest revision has failed; it stays the latest ready one when it was that."""
    return found.condition("PredictorConfigurationReady").get("status") == "False"


def _revision(
    one: Document, state: str, reason: str | None, weight: int, url: str | None
) -> ObservedRevision:
    return ObservedRevision(**asdict(release_of(one)), state=state, reason=reason, weight=weight, url=url)

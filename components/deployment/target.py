"""What a place to deploy to can do; one state machine (`release.py`) drives them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class ObservedRevision:
    """One revision as its target sees it.

    Attributes:
        revision: Its name.
        state: `starting`, `ready` or `failed`.
        reason: Why it is not ready, or None.
        model_uri: Folder of its model.
        model_digest: Model digest.
        weight: Share of requests in percent.
        grpc: Its own address for gRPC, or None when it has none, or none now.
        restarts: How often it was started anew after it had died.
        last_end: How it died the last time, or None.
    """

    revision: str
    state: str
    reason: str | None
    model_uri: str
    model_digest: str
    weight: int
    grpc: str | None = None
    restarts: int = 0
    last_end: str | None = None


@dataclass(frozen=True, kw_only=True)
class Release:
    """A revision that had all requests of a name.

    Attributes:
        revision: Its name.
        model_uri: Folder of its model, which may be gone since.
        model_digest: Model digest.
    """

    revision: str
    model_uri: str
    model_digest: str


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is deployed under a model name.

    Attributes:
        url: The infer address (Open Inference Protocol v2), or None when nothing is deployed.
        revisions: In no order; empty when nothing is deployed.
        released: Which revisions had all requests, one after the other, as far as is remembered.
    """

    url: str | None = None
    revisions: tuple[ObservedRevision, ...] = ()
    released: tuple[Release, ...] = ()

    @property
    def weights(self) -> dict[str, int]:
        """Shares of the revisions that have one."""
        return {each.revision: each.weight for each in self.revisions if each.weight}

    @property
    def serving(self) -> ObservedRevision | None:
        """The revision with the largest share, or None when none has any."""
        weighted = [each for each in self.revisions if each.weight]
        return max(weighted, key=lambda each: each.weight, default=None)

    def find(self, revision: str) -> ObservedRevision | None:
        """Return a revision by name."""
        return next((each for each in self.revisions if each.revision == revision), None)


class Target(Protocol):
    """A place to deploy to. All calls are idempotent and raise `UnavailableError` when it is away."""

    def observe(self, model_name: str) -> Observation:
        """Return what is deployed now."""
        ...

    def apply(self, model_name: str, revision: str, *, model: Path, model_digest: str) -> None:
        """Have a revision started beside the others, without a share; returns at once."""
        ...

    def weigh(self, model_name: str, weights: Mapping[str, int]) -> None:
        """Share the requests in percent; those not named get none. The sum is 100."""
        ...

    def remove(self, model_name: str, revision: str) -> None:
        """Drain a revision and end it."""
        ...

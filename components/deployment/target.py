"""What a place to deploy to can do; one state machine (`release.py`) drives them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from components.common.errors import RefusedError
from components.deployment.tally import Tally


class ClaimedError(RefusedError):
    """Another releases under the name: nothing may be changed there, not even to restore."""


class Shares(dict[str, int]):
    """How requests are shared: percent by revision, and what of a request decides.

    Attributes:
        sticky: Header, or `input:` and an input, whose value decides who answers; None shares by chance.
            With it, the order of the revisions says whose users stay.
    """

    def __init__(self, weights: Mapping[str, int], *, sticky: str | None = None) -> None:
        """Share by percents that sum to 100."""
        super().__init__(weights)
        self.sticky = sticky

    def is_kept_by(self, others: Shares) -> bool:
        """Return whether the same revisions answer the same users, where it is users who are shared."""
        if len(self) < 2 or (self.sticky is None and others.sticky is None):
            return self == others
        return (list(self.items()), self.sticky) == (list(others.items()), others.sticky)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A revision that is to be deployed.

    Attributes:
        name: Model name.
        revision: Its name; one model is one revision.
        model_uri: Where its model lies: a folder on this machine, or in a store that the target reads.
        model_digest: Model digest.
        data_version: Version of the data it was made from, or None when that is not known.
        run_id: The run that releases it, or None for one by hand. A revision that exists keeps its own.
        engine: What computes its answers, `twin` or `tensorflow`; `auto` leaves it to the server, and a
            revision that exists keeps its own.
    """

    name: str
    revision: str
    model_uri: str
    model_digest: str
    data_version: str | None = None
    run_id: str | None = None
    engine: str = "auto"


@dataclass(frozen=True, kw_only=True)
class ObservedRevision:
    """One revision as its target sees it.

    Attributes:
        revision: Its name.
        state: `starting`, `ready` or `failed`.
        reason: Why it is not ready, or None.
        model_uri: Where its model lies.
        model_digest: Model digest.
        weight: Share of requests in percent.
        url: Infer address at which it alone answers a request with the revision header, whatever its share;
            None when there is none, so that it can be asked only once it has all requests.
        grpc: Its own address for gRPC, or None when it has none, or none now.
        restarts: How often it was started anew after it had died.
        last_end: How it died the last time, or None.
        data_version: Version of the data its model was made from, or None when that is not known.
        engine: What computes its answers; `auto` when its server chose.
    """

    revision: str
    state: str
    reason: str | None
    model_uri: str
    model_digest: str
    weight: int
    url: str | None = None
    grpc: str | None = None
    restarts: int = 0
    last_end: str | None = None
    data_version: str | None = None
    engine: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A revision that had all requests of a name, with nothing deployed beside it.

    Attributes:
        revision: Its name.
        model_uri: Where its model lies, or lay.
        model_digest: Model digest.
        data_version: Version of the data it was made from, or None when that is not known.
        engine: What computed its answers; `auto` when its server chose.
    """

    revision: str
    model_uri: str
    model_digest: str
    data_version: str | None = None
    engine: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is deployed under a model name.

    Attributes:
        url: The infer address (Open Inference Protocol v2), or None when nothing is deployed.
        revisions: In no order; empty when nothing is deployed.
        released: Which revisions were released, one after the other, as far as is remembered.
        holder: Who is releasing under the name now, or None.
        sticky: What of a request decides who answers; see `Shares`. Where it is set, the revisions with a
            share are in the order in which they were given theirs.
    """

    url: str | None = None
    revisions: tuple[ObservedRevision, ...] = ()
    released: tuple[Release, ...] = ()
    holder: str | None = None
    sticky: str | None = None

    @property
    def weights(self) -> dict[str, int]:
        """Shares of the revisions that have one."""
        return {each.revision: each.weight for each in self.revisions if each.weight}

    @property
    def shares(self) -> Shares:
        """Shares of the revisions that have one, and what decides between them."""
        return Shares(self.weights, sticky=self.sticky)

    @property
    def stable(self) -> ObservedRevision | None:
        """The revision that was released last, while it has a share; else the one with the largest share.

        During a release this is the old one, whatever its share; None when no revision has a share.
        """
        last = self.find(self.released[-1].revision) if self.released else None
        if last is not None and last.weight:
            return last
        weighted = [each for each in self.revisions if each.weight]
        return max(weighted, key=lambda each: each.weight, default=None)

    @property
    def begun_from(self) -> ObservedRevision | None:
        """The revision that a half-done release began from, or None when none is half done, or it is gone.

        That is the one that was released last, even when the new one has all requests already.
        """
        if len(self.revisions) < 2:
            return None
        last = self.find(self.released[-1].revision) if self.released else self.stable
        return last if last is not None and (last.weight or last.state == "ready") else None

    @property
    def canary(self) -> ObservedRevision | None:
        """The revision that has a share, or all, beside the one that its release began from, or None."""
        old = self.begun_from or self.stable
        others = [each for each in self.revisions if each.weight and each != old]
        return max(others, key=lambda each: each.weight, default=None)

    def find(self, revision: str) -> ObservedRevision | None:
        """Return a revision by name."""
        return next((each for each in self.revisions if each.revision == revision), None)


class Target(Protocol):
    """A place to deploy to.

    All state lies there and none in the task that releases, so that a killed release is completed by the
    next. All calls are idempotent and raise `UnavailableError` when the place is away.
    """

    def plan(self, wanted: Wanted) -> None:
        """Find out, changing nothing, whether the release can be honoured as it was asked for.

        Raises:
            BadInputError: It cannot; the knob is named, what forbids it, and what would work.
        """
        ...

    def claim(self, model_name: str, holder: str) -> None:
        """Keep others from releasing under the name until `unclaim`; again by the same holder renews it.

        A claim whose holder has died, or has not renewed it for half a minute, is void.

        Raises:
            ClaimedError: Another holds it, who is named.
        """
        ...

    def unclaim(self, model_name: str, holder: str) -> None:
        """Give a claim back; nothing happens when the holder has none."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names under which something is deployed, sorted."""
        ...

    def observe(self, model_name: str) -> Observation:
        """Return what is deployed now."""
        ...

    def apply(self, wanted: Wanted) -> None:
        """Have a revision started beside the others, without a share; returns at once.

        A place that cannot start one beside moves all requests to it as it becomes ready, where the
        strategy `replace` says that it may.
        """
        ...

    def weigh(self, model_name: str, weights: Mapping[str, int]) -> None:
        """Share the requests in percent; those not named get none. The sum is 100 at every moment.

        `Shares` may say what of a request decides; other weights share by chance.
        """
        ...

    def remove(self, model_name: str, revision: str) -> None:
        """Drain a revision without a share and end it; one left alone with all requests is released."""
        ...

    def tally(self, model_name: str) -> Mapping[str, Mapping[str, Tally]]:
        """Return what was counted of each revision, by each of its servers since that started.

        A revision without counts, and a server that has left, may be left out.
        """
        ...

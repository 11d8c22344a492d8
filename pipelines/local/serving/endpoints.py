"""The models that a supervisor serves: their revisions, and how requests are shared among these."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.serving.assign import assign
from pipelines.local.serving.claims import Claims
from pipelines.local.serving.forks import Forks
from pipelines.local.serving.revision import Revision
from pipelines.local.serving.state import ServingState

_RELEASES = 20  # remembered for each model


class UnknownError(BadInputError):
    """What was asked for does not exist."""


@dataclass(kw_only=True)
class Endpoint:
    """One model name.

    Attributes:
        revisions: What is deployed under it, by revision.
        weights: Share of requests in percent, by revision; empty until the first release.
        released: Which revisions had all requests with nothing beside them, one after the other, the
            present one last.
        sticky: What of a request decides who answers (see `read_key`), or None.
    """

    revisions: dict[str, Revision] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    released: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    sticky: str | None = None

    def choose(self, name: str, key: str | None = None) -> Revision | None:
        """Pick a revision by weight, of those that are ready if any is; None when none has a share.

        Args:
            name: The model's name.
            key: What always has the same revision, while that is ready; None picks by chance.
        """
        if key is not None and self.weights:
            found = self.revisions[assign(key, name, self.weights)]
            if found.state == "ready":
                return found
        shares = [(self.revisions[name], weight) for name, weight in self.weights.items() if weight]
        shares = [share for share in shares if share[0].state == "ready"] or shares
        if len(shares) < 2:
            return shares[0][0] if shares else None
        chosen, weights = zip(*shares, strict=True)
        return random.choices(chosen, weights)[0]  # noqa: S311 - shares traffic, no secret

    def remember_release(self) -> None:
        """Note which revision has all requests and is alone."""
        if len(self.weights) == len(self.revisions) == 1:
            revision = self.revisions[next(iter(self.weights))]
            known = {
                "revision": revision.name, "model_uri": revision.model_uri,
                "model_digest": revision.model_digest, "engine": revision.engine,
            }  # fmt: skip
            if not self.released or self.released[-1]["revision"] != revision.name:
                self.released = [*self.released, known][-_RELEASES:]


class Endpoints:
    """All models of one supervisor; every change is remembered before it is confirmed."""

    def __init__(self, logs: Path, forks: Forks, remember: Callable[[dict[str, Any]], None]) -> None:
        """Start empty.

        Args:
            logs: Folder for one log a revision.
            forks: Starts servers.
            remember: Called with the content of `ServingState.endpoints` after every change.
        """
        self._logs, self._forks = logs, forks
        self._remember = remember
        self.by_name: dict[str, Endpoint] = {}
        self.claims = Claims()

    def restore(self, state: ServingState) -> None:
        """Start what was served before."""
        for name, known in state.endpoints.items():
            released = list(known.get("released", ()))  # an older supervisor remembered none
            endpoint = self.by_name[name] = Endpoint(
                weights=dict(known["weights"]), released=released, sticky=known.get("sticky")
            )
            for revision, model in known["revisions"].items():
                endpoint.revisions[revision] = self._revision(name, revision, **model)
                endpoint.revisions[revision].start()

    def apply(
        self, name: str, revision: str, *, model_uri: str, model_digest: str, engine: str = "auto"
    ) -> None:
        """Have a revision served; one that is alive is left alone, one that failed is tried again.

        Raises:
            BadInputError: The revision exists with another model, or is served by another engine.
        """
        endpoint = self.by_name.setdefault(name, Endpoint())
        found = endpoint.revisions.get(revision)
        if found is not None and found.model_digest != model_digest:
            what = "revision exists with another model"
            raise BadInputError(what, where=revision, value=found.model_digest)
        if found is not None and engine not in ("auto", found.engine):
            fix = f"`millrace stop {name}`, and deploy it again"
            raise BadInputError(
                f"is served by another engine than `{engine}`", where=revision, value=found.engine, fix=fix
            )
        if found is None:
            found = self._revision(
                name, revision, model_uri=model_uri, model_digest=model_digest, engine=engine
            )
            endpoint.revisions[revision] = found
        found.model_uri = model_uri  # the same bytes, perhaps in a newer run's folder
        self._save()
        found.start()

    def weigh(self, name: str, weights: Mapping[str, int], sticky: str | None = None) -> None:
        """Share requests among revisions.

        Args:
            name: The model's name.
            weights: Percent by revision; with `sticky`, the order says whose keys stay (see `assign`).
            sticky: What of a request decides who answers (see `read_key`), or None.

        Raises:
            UnknownError: The endpoint or a revision does not exist.
            BadInputError: The weights are no whole numbers of percent that sum to 100.
        """
        endpoint = self.existing(name)
        for revision in weights:
            self._existing(endpoint, revision)
        whole = all(type(weight) is int and weight >= 0 for weight in weights.values())
        if not whole or sum(weights.values()) != 100:
            raise BadInputError("weights must be whole percents that sum to 100", where=name, value=weights)
        endpoint.weights = {revision: weight for revision, weight in weights.items() if weight}
        endpoint.sticky = sticky
        endpoint.remember_release()
        self._save()

    async def remove(self, name: str, revision: str) -> None:
        """Drain a revision and end it; the shares of others stay as they are.

        Raises:
            UnknownError: The endpoint or the revision does not exist.
            BadInputError: It shares the requests with another.
        """
        endpoint = self.existing(name)
        removed = self._existing(endpoint, revision)
        if revision in endpoint.weights and len(endpoint.weights) > 1:
            what = "shares the requests with another"
            raise BadInputError(what, where=revision, value=endpoint.weights, fix="weigh the other first")
        del endpoint.revisions[revision]
        endpoint.weights.pop(revision, None)
        endpoint.remember_release()
        if not endpoint.revisions:
            del self.by_name[name]
        self._save()
        await removed.stop()

    async def remove_endpoint(self, name: str) -> None:
        """Drain and end all revisions of a model.

        Raises:
            UnknownError: The endpoint does not exist.
        """
        endpoint = self.existing(name)
        del self.by_name[name]
        self._save()
        await asyncio.gather(*(revision.stop() for revision in endpoint.revisions.values()))

    async def stop_processes(self) -> None:
        """End all servers and remember all models: a supervisor that ends is no request to stop them."""
        revisions = [each for endpoint in self.by_name.values() for each in endpoint.revisions.values()]
        await asyncio.gather(*(revision.stop() for revision in revisions))

    def describe(self, url: str) -> list[dict[str, Any]]:
        """Return all endpoints as the control API shows them, sorted by name."""
        return [self._describe(name, url) for name in sorted(self.by_name)]

    def _describe(self, name: str, url: str) -> dict[str, Any]:
        endpoint = self.by_name[name]
        revisions = [
            {
                "revision": revision.name, "state": revision.state, "reason": revision.reason,
                "model_uri": revision.model_uri, "model_digest": revision.model_digest,
                "weight": endpoint.weights.get(revision.name, 0), "pid": revision.pid,
                "grpc": revision.grpc, "restarts": max(0, revision.starts - 1),
                "last_end": revision.last_end, "engine": revision.engine,
            }
            for revision in endpoint.revisions.values()
        ]  # fmt: skip
        infer = f"{url}/v2/models/{name}/infer"
        return {
            "name": name, "url": infer, "revisions": revisions, "released": endpoint.released,
            "weights": endpoint.weights, "sticky": endpoint.sticky, "holder": self.claims.holder(name),
        }  # fmt: skip

    def existing(self, name: str) -> Endpoint:
        """Return an endpoint; raises UnknownError when there is none of the name."""
        if name not in self.by_name:
            raise UnknownError("no such endpoint", value=name)
        return self.by_name[name]

    def _existing(self, endpoint: Endpoint, revision: str) -> Revision:
        if revision not in endpoint.revisions:
            raise UnknownError("no such revision", value=revision)
        return endpoint.revisions[revision]

    def _revision(
        self, name: str, revision: str, *, model_uri: str, model_digest: str, engine: str = "auto"
    ) -> Revision:
        return Revision(
            name, revision, model_uri=model_uri, model_digest=model_digest, engine=engine, logs=self._logs,
            forks=self._forks,
        )  # fmt: skip

    def _save(self) -> None:
        self._remember(
            {
                name: {
                    "revisions": {
                        each.name: {
                            "model_uri": each.model_uri,
                            "model_digest": each.model_digest,
                            "engine": each.engine,
                        }
                        for each in endpoint.revisions.values()
                    },
                    "weights": endpoint.weights,
                    "released": endpoint.released,
                    "sticky": endpoint.sticky,
                }
                for name, endpoint in self.by_name.items()
            }
        )

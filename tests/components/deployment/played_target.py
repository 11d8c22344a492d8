"""A place to deploy to that is played in memory: revisions are ready at once, and any call may fail."""

from dataclasses import replace

from components.deployment.target import Observation, ObservedRevision, Release

URL = "http://127.0.0.1:9/v2/models/m/infer"


class PlayedTarget:
    """Keeps the contract of `Target` for one name.

    Attributes:
        revisions: What is deployed, by name.
        released: What had all requests with nothing beside it, oldest first.
        fails: By the name of a call: what it raises from now on.
        counts: What `tally` returns.
        holder: Who holds the claim.
        at_share: What becomes, at each look, of a revision that has a share and was not released.
    """

    def __init__(self, *released):
        """Deploy models one after the other, by the names of their revisions."""
        self.revisions, self.released, self.fails, self.counts, self.holder = {}, [], {}, {}, None
        self.at_share = lambda each: each
        for name in released:
            self.revisions = {name: _revision(name, 100)}
            self._release()

    @property
    def weights(self):
        return {name: each.weight for name, each in self.revisions.items()}

    def _called(self, call):
        if call in self.fails:
            raise self.fails[call]

    def plan(self, wanted):
        self._called("plan")

    def claim(self, model_name, holder):
        self._called("claim")
        self.holder = holder

    def unclaim(self, model_name, holder):
        self.holder = None

    def names(self):
        return ["m"]

    def observe(self, model_name):
        self._called("observe")
        return Observation(
            url=URL,
            revisions=tuple(map(self._seen, self.revisions.values())),
            released=tuple(self.released),
            holder=self.holder,
        )

    def _seen(self, each):
        is_new = each.revision not in {one.revision for one in self.released}
        return self.at_share(each) if is_new and 0 < each.weight < 100 else each

    def apply(self, wanted):
        self._called("apply")
        self.revisions.setdefault(wanted.revision, _revision(wanted.revision, 0, engine=wanted.engine))

    def weigh(self, model_name, weights):
        self._called("weigh")
        assert sum(weights.values()) == 100
        assert weights.keys() <= self.revisions.keys()
        for name, each in self.revisions.items():
            self.revisions[name] = replace(each, weight=weights.get(name, 0))

    def remove(self, model_name, revision):
        self._called("remove")
        assert not self.revisions[revision].weight
        del self.revisions[revision]
        self._release()

    def tally(self, model_name):
        self._called("tally")
        return self.counts

    def _release(self):
        (name,) = self.revisions if len(self.revisions) == 1 else [None]
        if name is not None and (not self.released or self.released[-1].revision != name):
            self.released.append(Release(revision=name, model_uri=f"s3://b/{name}", model_digest=name))


def _revision(name, weight, **known):
    return ObservedRevision(
        revision=name, state="ready", reason=None, model_uri=f"s3://b/{name}", model_digest=name,
        weight=weight, **{key: value for key, value in known.items() if key != "engine"},
    )  # fmt: skip

"""Releases to KServe whose task is killed after any of its writes: the next one completes them."""

import sys

import pytest

from components.common.errors import RefusedError
from tests.cluster.nodes import LEASES, OWN, SERVICES, await_so
from tests.cluster.prometheus import Answers
from tests.cluster.releases import (
    MODES,
    SHAPES,
    A,
    B,
    C,
    followed,
    live,
    release,
    routed_by,
    shares,
    template_uri,
    uri,
    wanted,
)

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("routing")]

STEPS = {"steps": [25, 100], "interval_seconds": 0.1, "min_requests": 100, "deadline_seconds": 20.0}
LEASE = f"{LEASES}/millrace-release-flights"
LONG_AGO = {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}


class Killed(BaseException):
    """The releasing task is gone: it sends nothing any more."""


def kill(target, *, after, of=""):
    """End the task when it has made its n-th write to what is named so; returns the paths of those."""
    cluster, written = target._cluster, []
    send = cluster._ask_once

    def ask(method, path, query, body):
        if len(written) >= after:
            raise Killed
        answer = send(method, path, query, body)
        if method != "GET" and "dryRun" not in query and of in path:
            written.append(path)
        if len(written) >= after:
            raise Killed
        return answer

    cluster._ask_once = ask
    return written


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def by_steps(mode, target_of, counts):
    """What makes targets of a mode whose releases go by steps."""
    return lambda: target_of(kserve={"mode": mode, "prometheus": counts.address}, **STEPS)


@pytest.fixture
def always_whole(mode, played):
    """No version of the InferenceService asks for another share of a new model than a step's, or for two.

    The stable one has the rest by KServe's definition, which nothing here measures in the mode Standard. In
    Knative's service the routes sum to 100 from the first that is ready.
    """
    with followed(played, OWN) as services, followed(played, SERVICES) as routes:
        yield
    asked = [_new_shares(one["spec"]) for one in services]
    assert len(asked) > 20
    assert {share for one in asked for share in one} == {0, *STEPS["steps"]}
    assert all(sum(share > 0 for share in one) <= 1 for one in asked)
    sums = [sum(routed_by(played, one).values()) for one in routes]
    assert bool(sums) == (mode == "Knative")
    first = sums.index(100) if sums else 0
    assert set(sums[:first]) <= {0}
    assert set(sums[first:]) <= {100}


def _new_shares(spec):
    """The shares that an InferenceService asks for by name; the rest is the stable model's."""
    told = spec["predictor"].get("canaryTrafficPercent")
    return [one["trafficPercent"] for one in spec.get("canary", [])] + ([] if told is None else [told])


@pytest.mark.usefixtures("always_whole")
def test_a_release_that_was_killed_after_any_write_is_completed_by_the_next(by_steps, played):
    release(by_steps(), A)
    whole = by_steps()
    written = kill(whole, after=sys.maxsize)
    release(whole, B)
    assert len([path for path in written if "/inferenceservices/" in path]) == 4
    assert len([path for path in written if "/leases" in path]) >= 4  # claimed, renewed, marked, given back
    old, new = B, A
    for step in range(1, len(written)):
        killed = by_steps()
        kill(killed, after=step)
        with pytest.raises(Killed):
            release(killed, new)
        if step % 2:  # another run, when the claim of the killed one is void
            played.ask("PATCH", LEASE, LONG_AGO, "merge-patch+json")
        observed = release(by_steps(), new, holder="run 2" if step % 2 else "run 1")
        assert observed.weights == {new[:12]: 100}, (step, written)
        assert [one.revision for one in observed.released][-2:] == [old[:12], new[:12]], (step, written)
        assert [one.revision for one in observed.revisions] == [new[:12]]
        old, new = new, old


@pytest.mark.usefixtures("always_whole")
def test_a_release_that_was_killed_while_it_takes_a_model_back_is_completed_by_another(by_steps, counts):
    release(by_steps(), A)
    counts.answers[B[:12]] = Answers(errors=0.5)
    whole = by_steps()
    written = kill(whole, after=sys.maxsize)
    with pytest.raises(RefusedError, match="worse"):
        release(whole, B)
    (*_, shift), back = _split(written)
    old, new = A, C
    for step in range(shift + 1, shift + back):
        killed = by_steps()
        kill(killed, after=step)
        with pytest.raises(Killed):
            release(killed, B)
        assert by_steps().observe("flights").stable.revision == old[:12], (step, written)
        assert release(by_steps(), new).weights == {new[:12]: 100}, (step, written)
        old, new = new, old


def _split(written):
    """The numbers of the writes that started a canary and gave it a share, and how many came after."""
    services = [number for number, path in enumerate(written, 1) if "/inferenceservices/" in path]
    return services[:2], len(written) - services[1]


@pytest.mark.parametrize("step", [1, 2, 3, 4])  # claimed, remembered, applied, marked
def test_a_replacement_that_was_killed_is_completed_by_the_next(target_of, step):
    release(target_of(strategy="replace"), A)
    killed = target_of(strategy="replace")
    kill(killed, after=step)
    with pytest.raises(Killed):
        release(killed, B)
    observed = release(target_of(strategy="replace"), B)
    assert observed.weights == {B[:12]: 100}
    assert [one.revision for one in observed.released] == [A[:12], B[:12]]


@pytest.mark.parametrize("shape", SHAPES)
def test_another_model_after_a_killed_release_starts_from_the_old_one(target_of, shape):
    release(target_of(**SHAPES[shape]), A)
    killed = target_of(**SHAPES[shape])
    kill(killed, after=1, of=OWN)
    with pytest.raises(Killed):
        release(killed, B)
    observed = release(target_of(**SHAPES[shape]), C)
    assert observed.weights == {C[:12]: 100}
    assert [one.revision for one in observed.released] == [A[:12], C[:12]]
    assert B[:12] not in {one.revision for one in observed.revisions}


def test_the_claim_of_a_killed_release_is_told_to_others_until_it_is_void(by_steps, played):
    release(by_steps(), A)
    killed = by_steps()
    kill(killed, after=1, of=OWN)
    with pytest.raises(Killed):
        release(killed, B)
    before = live(played)["metadata"]["generation"]
    with pytest.raises(RefusedError, match="run 1 is releasing a model under this name now"):
        release(by_steps(), C, holder="run 2")
    assert live(played)["metadata"]["generation"] == before
    played.ask("PATCH", LEASE, LONG_AGO, "merge-patch+json")
    assert release(by_steps(), C, holder="run 2").weights == {C[:12]: 100}


def test_the_state_of_a_release_lies_in_the_cluster_alone(target_of, played):
    release(target_of(strategy="replace"), A)
    played.behaviour[uri(B)] = "slow"
    target_of(strategy="replace").apply(wanted(B))  # and the task that did it is killed
    played.behaviour[uri(B)] = "ready"
    assert release(target_of(strategy="replace"), C).weights == {C[:12]: 100}
    released = [one.revision for one in target_of(strategy="replace").observe("flights").released]
    assert C[:12] in released
    assert B[:12] not in released


@pytest.mark.parametrize(("behaviour", "old"), [("slow", A), ("ready", B)])
def test_a_canary_beside_a_replacement_that_was_killed_starts_from_the_model_that_has_the_requests(
    target_of, played, counts, behaviour, old
):
    release(target_of(strategy="replace"), A)
    played.behaviour[uri(B)] = behaviour
    killed = target_of(strategy="replace")
    kill(killed, after=1, of=OWN)
    with pytest.raises(Killed):
        release(killed, B)
    knobs = {"kserve": {"prometheus": counts.address}}
    await_so(lambda: target_of().observe("flights").weights == {old[:12]: 100})
    since = played.ask("GET", OWN)["metadata"]["resourceVersion"]
    observed = release(target_of(**knobs, **STEPS), C)
    assert observed.weights == {C[:12]: 100}
    assert [one.revision for one in observed.released] == [A[:12], C[:12]]
    beside = [shares(one) for one in played.versions(OWN, since) if "canary" in one["spec"]]
    assert {old[:12]: 75, C[:12]: 25} in beside
    assert {name for one in beside for name, share in one.items() if share} == {old[:12], C[:12]}
    assert "canary" not in live(played)["spec"]
    assert template_uri(played, f"flights-r{C[:12]}-predictor") == uri(C)

"""Releases to KServe's own controller while the API server fails, at each request of a release."""

import pytest

from components.common.errors import ComponentError, UnavailableError
from components.deployment import kserve_api
from tests.cluster.faults import WRITES, through
from tests.cluster.nodes import OWN
from tests.cluster.releases import MODES, SHAPES, A, B, live, release, shares, steps, uri

pytestmark = pytest.mark.cluster

OLD, NEW = A[:12], B[:12]
STEPS = {"steps": [25, 100], "interval_seconds": 0.1, "min_requests": 100, "deadline_seconds": 20.0}
SHARES = {  # that are asked for, one after the other
    "Standard": [{OLD: 100}, {OLD: 100, NEW: 0}, {OLD: 75, NEW: 25}, {OLD: 0, NEW: 100}, {NEW: 100}],
    "Knative": [{OLD: 100}, {NEW: 0}, {NEW: 25}, {NEW: 100}],
}
CHANGES = 4  # a canary, its two shares, and that it is released
FAULTS = {
    "busy, and connections break": ((429, 503, 500, "cut"), ("GET", *WRITES)),
    "answers are lost": (("lost",), ("GET", *WRITES)),
    "others write at the same time": ((409,), WRITES),
}


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(kserve_api, "WAITS_SECONDS", (0.01, 0.01, 0.01, 0.01))
    monkeypatch.setattr(kserve_api, "PATIENCE_SECONDS", ())


@pytest.fixture
def faulty(cluster_of, played):
    """The API server, in the deployer's name, and the faults it is met through."""
    with through(cluster_of()) as found:
        yield found


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_release_of_which_every_request_fails_at_first_ends_as_one_without(
    target_of, counts, played, faulty, mode, fault
):
    knobs = {"kserve": {"mode": mode, "prometheus": counts.address}}
    release(target_of(**knobs), A)
    before = live(played)
    cluster, faults = faulty
    kinds, methods = FAULTS[fault]
    faults.each(*kinds, of=methods)
    observed = release(target_of(cluster=cluster, **knobs, **STEPS), B)
    assert all(faults.met[kind] > CHANGES for kind in kinds)
    assert observed.weights == {NEW: 100}
    assert [one.revision for one in observed.released] == [OLD, NEW]
    assert target_of(**knobs).observe("flights").holder is None
    assert steps(played, before) == SHARES[mode]
    assert live(played)["metadata"]["generation"] == before["metadata"]["generation"] + CHANGES


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    ("mode", "reached", "fault"),
    [("Standard", 0, 503), ("Standard", 25, "cut"), ("Knative", 0, "cut"), ("Knative", 25, 503)],
)
def test_a_server_that_stays_away_leaves_the_old_model_and_the_next_release_goes_on(
    target_of, counts, played, faulty, mode, reached, fault
):
    knobs = {"kserve": {"mode": mode, "prometheus": counts.address}}
    release(target_of(**knobs), A)
    before = live(played)
    cluster, faults = faulty

    def choose(method, path, met):
        has = any(shares(answer).get(NEW) == reached for _, path, answer in faults.done if OWN in path)
        return fault if has else None

    faults.choose = choose
    with pytest.raises(UnavailableError, match=r"not released: the Kubernetes API .*could not be restored"):
        release(target_of(cluster=cluster, **knobs, **STEPS), B)
    found = target_of(**knobs).observe("flights")
    assert found.stable.revision == OLD
    assert found.weights == {name: share for name, share in ((OLD, 100 - reached), (NEW, reached)) if share}
    observed = release(target_of(**knobs, **STEPS), B)
    assert observed.weights == {NEW: 100}
    assert steps(played, before) == SHARES[mode]


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_model_that_is_taken_back_is_so_though_every_answer_is_lost_once(
    target_of, played, faulty, shape
):
    release(target_of(**SHAPES[shape]), A)
    played.behaviour[uri(B)] = "failing"
    cluster, faults = faulty
    faults.each("lost")
    with pytest.raises(ComponentError, match=rf"revision {OLD} serves as before \(ready\)"):
        release(target_of(cluster=cluster, timeout_seconds=3.0, **SHAPES[shape]), B)
    assert faults.met["lost"] > 10
    assert target_of(**SHAPES[shape]).observe("flights").weights == {OLD: 100}


def test_a_first_model_that_fails_is_stopped_though_every_answer_is_lost_once(target_of, played, faulty):
    played.behaviour[uri(A)] = "failing"
    cluster, faults = faulty
    faults.each("lost")
    with pytest.raises(ComponentError, match="nothing was served before, and nothing is now"):
        release(target_of(cluster=cluster, timeout_seconds=3.0, strategy="replace"), A)
    assert live(played)["metadata"]["annotations"]["serving.kserve.io/stop"] == "true"


def test_others_that_never_end_to_write_are_told_and_nothing_has_changed(target_of, played, faulty):
    release(target_of(strategy="replace"), A)
    before = live(played)
    cluster, faults = faulty
    faults.choose = lambda method, path, met: 409 if method == "PATCH" else None
    with pytest.raises(UnavailableError, match=r"others keep changing the InferenceService.*managedFields"):
        release(target_of(cluster=cluster, strategy="replace"), B)
    assert live(played)["spec"] == before["spec"]

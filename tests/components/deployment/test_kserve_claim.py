"""Claims of a name by tasks whose clocks differ, on an API that is played."""

from datetime import UTC, datetime, timedelta

import pytest

from components.deployment import kserve_claim
from components.deployment.kserve_claim import Claims
from components.deployment.target import ClaimedError
from tests.components.deployment.played_cluster import PlayedCluster

LEASE = "/apis/coordination.k8s.io/v1/namespaces/models/leases/millrace-release-flights"


@pytest.fixture
def cluster():
    return PlayedCluster()


@pytest.fixture
def waited(monkeypatch):
    """The seconds that were waited for a claim."""
    found = []
    monkeypatch.setattr(kserve_claim.time, "sleep", found.append)
    monkeypatch.setattr(kserve_claim.time, "monotonic", lambda: sum(found))
    return found


def claimed_by_another(cluster, seconds_ago):
    """Have `run 7` claim the name for a minute; by our clock he renewed that so long ago."""
    renewed = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "run 7", "leaseDurationSeconds": 60, "renewTime": renewed}
    cluster.objects[LEASE] = {"metadata": {"resourceVersion": renewed}, "spec": spec}


def take(cluster, holder):
    Claims(cluster, "models").take("flights", holder)
    assert cluster.objects[LEASE]["spec"]["holderIdentity"] == holder


def test_a_claim_that_is_over_by_our_clock_alone_is_watched_until_it_is_void(cluster, waited):
    claimed_by_another(cluster, 70)
    take(cluster, "run 8")
    assert 60 <= sum(waited) < 62


def test_a_claim_that_is_renewed_by_a_clock_that_is_behind_is_not_taken(cluster, waited, monkeypatch):
    claimed_by_another(cluster, 70)

    def sleep(seconds):
        waited.append(seconds)
        if sum(waited) > 20:
            claimed_by_another(cluster, 61)

    monkeypatch.setattr(kserve_claim.time, "sleep", sleep)
    with pytest.raises(ClaimedError, match="run 7 is releasing a model under this name now"):
        take(cluster, "run 8")
    assert 20 < sum(waited) < 62


def test_a_claim_that_is_given_back_meanwhile_is_taken_at_once(cluster, waited, monkeypatch):
    claimed_by_another(cluster, 70)

    def sleep(seconds):
        waited.append(seconds)
        Claims(cluster, "models").give_back("flights", "run 7")
        cluster.objects[LEASE]["spec"]["holderIdentity"] = ""

    monkeypatch.setattr(kserve_claim.time, "sleep", sleep)
    take(cluster, "run 8")
    assert len(waited) == 1


@pytest.mark.parametrize(("holder", "seconds_ago"), [("run 7", 70), ("run 8", 3600)])
def test_an_own_claim_and_one_of_long_ago_are_taken_at_once(cluster, waited, holder, seconds_ago):
    claimed_by_another(cluster, seconds_ago)
    take(cluster, holder)
    assert waited == []

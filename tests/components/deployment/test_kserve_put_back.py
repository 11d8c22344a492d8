"""A model that is put back under KServe is not said to serve before it does, on an API that is played."""

import pytest

from components.common.errors import RefusedError
from components.deployment import kserve
from tests.components.deployment.played_cluster import PlayedCluster
from tests.components.deployment.test_kserve_target import release, target_of, uri


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setattr(kserve, "_SECONDS_BETWEEN", 0.0)
    return PlayedCluster()


def fail_its_proof(monkeypatch, cluster, of, then=lambda: None):
    """Have a model answer otherwise once it has all requests; what KServe says is of it from then on."""

    def prove(candidate, *_, **__):
        if candidate.revision == of and target_of(cluster).observe("flights").weights == {of: 100}:
            cluster.is_rolled_out = False
            then()
            raise RefusedError("answers otherwise")
        return []

    monkeypatch.setattr("components.deployment.release.prove_revision", prove)


def test_what_is_put_back_is_not_said_to_serve_while_kserve_tells_of_the_other(cluster, monkeypatch):
    monkeypatch.setattr(kserve, "_TAKEN_SECONDS", 0.2)
    release(cluster, "a")
    fail_its_proof(monkeypatch, cluster, "b")
    told = r"answers otherwise.*could not be restored: KServe has not taken up the model from before"
    with pytest.raises(RefusedError, match=told):
        release(cluster, "b")
    assert uri(cluster) == "s3://bucket/a"


def test_what_is_put_back_is_waited_for(cluster, monkeypatch):
    looks, read = [], cluster.read

    def roll_out(path, **query):
        looks.append(uri(cluster) == "s3://bucket/a")
        cluster.is_rolled_out = looks.count(True) > 9  # KServe takes its time
        return read(path, **query)

    release(cluster, "a")
    fail_its_proof(monkeypatch, cluster, "b", lambda: monkeypatch.setattr(cluster, "read", roll_out))
    with pytest.raises(RefusedError, match=r"answers otherwise.*revision a serves as before \(ready\)"):
        release(cluster, "b")
    assert looks.count(True) > 9

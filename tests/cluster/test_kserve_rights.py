"""The deployer's rights are enough for each step of a release, and without any one of them one fails."""

import pytest

from components.common.errors import BadInputError, ComponentError
from components.deployment.config import DeployConfig
from components.deployment.kserve import KServeTarget
from tests.cluster.nodes import NAMESPACE
from tests.cluster.test_kserve_release import A, B, live, release, uri

pytestmark = pytest.mark.cluster

ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/millrace-deployer"
RIGHTS = [
    ("inferenceservices", "get"), ("inferenceservices", "list"), ("inferenceservices", "create"),
    ("inferenceservices", "patch"), ("leases", "get"), ("leases", "create"), ("leases", "update"),
    ("events", "list"),
]  # fmt: skip


@pytest.fixture
def weaken(played):
    """Take one right from the deployer, for the time of a test."""
    role = played.ask("GET", ROLE)

    def take(resource, verb):
        rules = []
        for rule in role["rules"]:
            verbs = [one for one in rule["verbs"] if (rule["resources"][0], one) != (resource, verb)]
            rules += [{**rule, "verbs": verbs}] if verbs else []
        changed = played.ask("PATCH", ROLE, {"rules": rules}, "merge-patch+json")
        assert changed["rules"] != role["rules"]

    yield take
    played.ask("PATCH", ROLE, {"rules": role["rules"]}, "merge-patch+json")


def _all_steps(target_of, played):
    """A first model, another in its place, one that fails and is taken back, and a list of all names."""
    release(target_of(strategy="replace"), A)
    release(target_of(strategy="replace"), B)
    played.behaviour[uri(A)] = "failing"
    try:
        release(target_of(strategy="replace"), A)
    except ComponentError as error:
        if "not allowed" in str(error):
            raise
    assert target_of(strategy="replace").names() == ["flights"]


@pytest.mark.usefixtures("installed")
def test_the_rights_tested_here_are_those_of_the_role(played):
    rules = played.ask("GET", ROLE)["rules"]
    assert {(one, verb) for rule in rules for one in rule["resources"] for verb in rule["verbs"]} == set(
        RIGHTS
    )


@pytest.mark.parametrize(("resource", "verb"), RIGHTS)
def test_without_any_one_right_a_release_says_which(target_of, played, weaken, resource, verb):
    weaken(resource, verb)
    with pytest.raises(BadInputError, match=f"not allowed: .*cannot {verb} resource .*{resource}"):
        _all_steps(target_of, played)


def test_a_run_reads_what_serves_and_can_release_nothing(target_of, cluster_of):
    release(target_of(strategy="replace"), A)
    of_a_run = KServeTarget(cluster_of("millrace-run"), DeployConfig(target="kserve", strategy="replace"))
    assert of_a_run.observe("flights").stable.revision == A[:12]
    with pytest.raises(BadInputError, match='"system:serviceaccount:millrace:millrace-run" cannot patch'):
        release(of_a_run, B)


def test_all_steps_are_allowed_with_them(target_of, played):
    _all_steps(target_of, played)
    assert live(played)["spec"]["predictor"]["labels"]["millrace/revision"] == B[:12]

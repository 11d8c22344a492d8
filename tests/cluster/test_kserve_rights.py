"""The deployer's rights are enough for each step of a release, and without any one of them one fails."""

import pytest

from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment.config import DeployConfig
from components.deployment.kserve import KServeTarget
from components.deployment.release import HeldError
from components.deployment.roll_back import promote_model, roll_back_model
from tests.cluster.nodes import NAMESPACE
from tests.cluster.releases import SHAPES, A, B, C, release, uri

pytestmark = pytest.mark.cluster

ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/millrace-deployer"
RIGHTS = [
    ("inferenceservices", "get"), ("inferenceservices", "list"), ("inferenceservices", "create"),
    ("inferenceservices", "patch"), ("leases", "get"), ("leases", "create"), ("leases", "update"),
    ("events", "list"),
]  # fmt: skip
OF_A_CANARY = ("deployments", "get")
HELD = {"steps": [25, 100], "interval_seconds": 0.1, "deadline_seconds": 0.1}


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


@pytest.fixture(params=SHAPES)
def all_steps(request, deployer, target_of, played, tmp_path):
    """Lists, releases, promotes, rolls back and restores, as one shape of releases does."""
    if request.param == "Standard":
        request.getfixturevalue("routing")
    knobs = SHAPES[request.param]

    def hold():
        if request.param == "replace":
            release(target_of(**knobs), B)
            return
        with pytest.raises(HeldError):
            release(target_of(**knobs, **HELD), B)

    def run():
        config = target_of(**knobs)._config
        assert target_of(**knobs).names() == []
        played.behaviour[uri(C)] = "failing"
        with pytest.raises((RefusedError, UnavailableError), match="nothing was served before"):
            release(target_of(**knobs, timeout_seconds=2.0), C)
        release(target_of(**knobs), A)
        hold()
        if request.param != "replace":
            promote_model(tmp_path, model_name="flights", config=config)
        assert target_of(**knobs).observe("flights").weights == {B[:12]: 100}
        roll_back_model(tmp_path, model_name="flights", revision=None, config=config)
        hold()
        roll_back_model(tmp_path, model_name="flights", revision=A[:12], config=config)
        with pytest.raises((RefusedError, UnavailableError), match="serves as before"):
            release(target_of(**knobs, timeout_seconds=2.0), C)
        assert target_of(**knobs).observe("flights").weights == {A[:12]: 100}
        assert target_of(**knobs).names() == ["flights"]

    return run


@pytest.mark.usefixtures("installed")
def test_the_rights_tested_here_are_those_of_the_role(played):
    rules = played.ask("GET", ROLE)["rules"]
    assert {(one, verb) for rule in rules for one in rule["resources"] for verb in rule["verbs"]} == {
        *RIGHTS, OF_A_CANARY
    }  # fmt: skip


@pytest.mark.parametrize(("resource", "verb"), RIGHTS)
def test_without_any_one_right_a_release_says_which(all_steps, weaken, resource, verb):
    weaken(resource, verb)
    with pytest.raises(BadInputError, match=f"not allowed: .*cannot {verb} resource .*{resource}"):
        all_steps()


@pytest.mark.parametrize("all_steps", ["Standard"], indirect=True)
def test_without_the_right_to_count_the_servers_of_a_canary_its_release_says_so(all_steps, weaken):
    resource, verb = OF_A_CANARY
    weaken(resource, verb)
    with pytest.raises(BadInputError, match=f"not allowed: .*cannot {verb} resource .*{resource}"):
        all_steps()


def test_a_run_reads_what_serves_and_can_release_nothing(target_of, cluster_of):
    release(target_of(strategy="replace"), A)
    of_a_run = KServeTarget(cluster_of("millrace-run"), DeployConfig(target="kserve", strategy="replace"))
    assert of_a_run.observe("flights").stable.revision == A[:12]
    with pytest.raises(BadInputError, match='"system:serviceaccount:millrace:millrace-run" cannot patch'):
        release(of_a_run, B)


def test_all_steps_are_allowed_with_them(all_steps):
    all_steps()

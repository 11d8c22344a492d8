"""What accounts may do and may not, asked of a real API server in their name."""

import copy
import json

import pytest
import yaml

from tests.house import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("standing")]

RUN, DEPLOYER = "millrace:millrace-run", "millrace:millrace-deployer"
SERVER = "millrace-serving:millrace-server"
SERVICES = "inferenceservices.serving.kserve.io"
LEASES = "leases.coordination.k8s.io"
ALL_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
WRITES = ("create", "update", "patch", "delete", "deletecollection")

# What each account uses, and so may do; the reasons stand beside its Role.
MAY = [
    (RUN, "create", "workflowtaskresults.argoproj.io", "millrace"),
    (RUN, "patch", "workflowtaskresults.argoproj.io", "millrace"),
    (RUN, "get", "configmaps/kfp-launcher", "millrace"),
    (RUN, "get", "secrets/mlpipeline-minio-artifact", "millrace"),
    (RUN, "get", SERVICES, "millrace-serving"),
    (RUN, "get", LEASES, "millrace-serving"),
    (RUN, "list", "events", "millrace-serving"),
    *((DEPLOYER, verb, SERVICES, "millrace-serving") for verb in ("get", "list", "create", "patch")),
    *((DEPLOYER, verb, LEASES, "millrace-serving") for verb in ("get", "create", "update")),
    (DEPLOYER, "get", "deployments.apps", "millrace-serving"),
    (DEPLOYER, "list", "events", "millrace-serving"),
]
MAY_NOT = [
    *((RUN, verb, SERVICES, "millrace-serving") for verb in WRITES),
    *((RUN, verb, SERVICES, "millrace") for verb in ALL_VERBS),
    (RUN, "get", "secrets/millrace-deployer-token", "millrace"),
    (RUN, "get", "secrets/millrace-store", "millrace-serving"),
    (RUN, "list", "secrets", "millrace"),
    (RUN, "get", "configmaps/another", "millrace"),
    (RUN, "create", "pods", "millrace"),
    (RUN, "create", "pods/exec", "millrace"),
    (RUN, "create", "serviceaccounts/token", "millrace"),
    (RUN, "create", "pipelineversions.pipelines.kubeflow.org", "millrace"),
    (RUN, "impersonate", "serviceaccounts/millrace-deployer", "millrace"),
    *((DEPLOYER, verb, SERVICES, "millrace-serving")
      for verb in ("watch", "update", "delete", "deletecollection")),
    *((DEPLOYER, verb, LEASES, "millrace-serving") for verb in ("list", "patch", "delete")),
    *((RUN, verb, LEASES, "millrace-serving") for verb in WRITES),
    *((DEPLOYER, verb, SERVICES, "millrace") for verb in ALL_VERBS),
    *((DEPLOYER, verb, what, where) for verb in ("get", "list", "create") for what in ("secrets", "pods")
      for where in ("millrace", "millrace-serving")),
    (DEPLOYER, "get", "servingruntimes.serving.kserve.io/millrace", "millrace-serving"),
    (DEPLOYER, "get", "customresourcedefinitions.apiextensions.k8s.io", "millrace-serving"),
    *((SERVER, verb, what, "millrace-serving") for verb in ALL_VERBS for what in (SERVICES, "secrets")),
]  # fmt: skip


@pytest.fixture(scope="module")
def service():
    text = (ROOT / "tests/cluster/inference_service.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def _as(cluster, account, verb, *arguments, given):
    return cluster.kubectl(
        verb, *arguments, "-f", "-", f"--as=system:serviceaccount:{account}", given=given
    )


@pytest.mark.parametrize(("account", "verb", "what", "namespace"), MAY)
def test_an_account_may_do_what_it_does(cluster, account, verb, what, namespace):
    assert cluster.can(account, verb, what, namespace)


@pytest.mark.parametrize(("account", "verb", "what", "namespace"), MAY_NOT)
def test_an_account_may_do_nothing_else(cluster, account, verb, what, namespace):
    assert not cluster.can(account, verb, what, namespace)


def test_the_rules_of_accounts_are_what_is_listed_here_and_no_more(cluster):
    granted = {
        (account, verb, "/".join(filter(None, (resource, name))), namespace)
        for account in (RUN, DEPLOYER, SERVER)
        for namespace in ("millrace", "millrace-serving", "default")
        for rule in _rules(cluster, account, namespace)
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        if not resource.startswith("selfsubject")  # whom everybody may ask about
    }
    assert granted == {(account, verb, _plain(what), namespace) for account, verb, what, namespace in MAY}


def _plain(what):
    """A resource without its group."""
    resource, slash, name = what.partition("/")
    return f"{resource.partition('.')[0]}{slash}{name}"


def _rules(cluster, account, namespace):
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    given = json.dumps(review | {"spec": {"namespace": namespace}})
    return _as(cluster, account, "create", "--raw", path, given=given).json()["status"]["resourceRules"]


def test_the_deployer_creates_and_patches_a_service_that_a_run_can_only_read(cluster, service):
    assert "forbidden" in _as(cluster, RUN, "create", given=[service]).error
    answer = _as(cluster, DEPLOYER, "apply", "--server-side", "--validate=strict", given=[service])
    assert answer.ok, answer.error
    changed = copy.deepcopy(service)
    changed["spec"]["predictor"]["maxReplicas"] = 3
    assert (
        "forbidden"
        in _as(cluster, RUN, "apply", "--server-side", "--force-conflicts", given=[changed]).error
    )
    assert _as(cluster, DEPLOYER, "apply", "--server-side", given=[changed]).ok
    read = ("get", "inferenceservice", "flights", "--namespace=millrace-serving", "--output=json")
    seen = cluster.kubectl(*read, f"--as=system:serviceaccount:{RUN}").json()
    assert seen["spec"]["predictor"]["maxReplicas"] == 3
    for account in (RUN, DEPLOYER):
        gone = ("delete", "inferenceservice", "flights", "--namespace=millrace-serving")
        assert "forbidden" in cluster.kubectl(*gone, f"--as=system:serviceaccount:{account}").error
    assert cluster.kubectl("delete", "inferenceservice", "flights", "--namespace=millrace-serving").ok

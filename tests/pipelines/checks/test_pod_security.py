"""What the Pod Security Standards refuse.

The oracle are the test data of k8s.io/pod-security-admission (v1.35, v1.36), on whose 148 pods each the
rules gave Kubernetes' own answer; here is a pod for each control, as the standard words it.
`tests/cluster/test_checks.py` asks a real API server about the same pods.
"""

import pytest

from tests.pipelines.checks.pods import BASELINE, CONTAINER, RESTRICTED, SPEC, changed, named, pod


@pytest.mark.parametrize("path", BASELINE)
def test_pod_that_baseline_refuses_is_an_error(check, path):
    found = [one for one in check(pod(path, BASELINE[path])) if one.rule.startswith("pod-security")]
    assert {(one.rule, one.severity) for one in found} == {("pod-security-baseline", "error")}
    assert all(one.field.startswith("spec.") and one.document == "Pod/x" for one in found)


@pytest.mark.parametrize("path", RESTRICTED)
def test_pod_that_restricted_refuses_is_a_warning_and_in_production_an_error(check, path):
    found = check(pod(path, RESTRICTED[path]))
    assert [(one.rule, one.severity) for one in found] == [("pod-security-restricted", "warning")]
    assert [one.severity for one in check(pod(path, RESTRICTED[path]), production=True)] == ["error"]


def test_pod_that_restricted_takes_breaks_no_rule(check):
    assert check(pod(), production=True) == []


def test_what_the_pod_says_holds_for_its_containers(check):
    bare = {
        **CONTAINER,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    shared = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert check(named("Pod", spec={**SPEC, "containers": [bare], "securityContext": shared})) == []


def test_init_containers_count_too(check):
    found = check(pod("initContainers", [changed(CONTAINER, "securityContext/runAsNonRoot", None)]))
    assert [one.field for one in found] == ["spec.initContainers[0].securityContext.runAsNonRoot"]


@pytest.mark.parametrize(
    ("kind", "path", "spec"),
    [
        ("Deployment", "spec.template.spec", {"template": {"spec": SPEC}}),
        ("Job", "spec.template.spec", {"activeDeadlineSeconds": 9, "template": {"spec": SPEC}}),
        (
            "CronJob", "spec.jobTemplate.spec.template.spec",
            {"jobTemplate": {"spec": {"activeDeadlineSeconds": 9, "template": {"spec": SPEC}}}},
        ),
        ("ServingRuntime", "spec", {"containers": [CONTAINER]}),
        ("ClusterStorageContainer", "spec", {"container": CONTAINER}),
        ("InferenceService", "spec.predictor", {"predictor": SPEC}),
    ],
)  # fmt: skip
def test_pods_are_found_wherever_they_are_described(check, kind, path, spec):
    metadata = {"annotations": {"serving.kserve.io/deploymentMode": "Standard"}}
    content = named(kind, spec=spec, metadata=metadata)
    assert check(content, production=True) == []
    where = path.replace(".", "/") + ("/container" if "Storage" in kind else "/containers/0")
    (found,) = check(changed(content, f"{where}/securityContext/runAsNonRoot", None))
    assert found.rule == "pod-security-restricted"
    assert found.field == where.replace("/0", "[0]").replace("/", ".") + ".securityContext.runAsNonRoot"

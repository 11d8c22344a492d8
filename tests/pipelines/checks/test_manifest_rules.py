"""Each rule for manifests finds what breaks it, and nothing in what does not."""

import pytest

from tests.pipelines.checks.pods import CONTAINER, changed, named, pod

SERVICE = named(
    "InferenceService", apiVersion="serving.kserve.io/v1beta1",
    metadata={"annotations": {"serving.kserve.io/deploymentMode": "Standard"}},
    spec={"predictor": {"model": {"modelFormat": {"name": "millrace"}, "storageUri": "s3://b/m"}}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("containers/0/image", "a", "image-latest"),
        ("containers/0/image", "a:latest", "image-latest"),
        ("containers/0/image", "a:1", "image-tag"),
        ("containers/0/resources/limits", None, "missing-resources"),
        ("containers/0/command", ["sh", "-c", "apt-get -y install curl"], "install-at-run-time"),
        ("automountServiceAccountToken", None, "service-account-token"),
        ("containers/0/env", [{"name": "DB_PASSWORD", "value": "hunter2-canary"}], "secret-value"),
        ("containers/0/args", ["--token", "hunter2-canary"], "secret-value"),
    ],
)
def test_pod_that_breaks_one_rule_has_one_finding(check, path, value, rule):
    (found,) = check(pod(path, value))
    assert found.rule == rule
    assert found.field.startswith("spec.")


def test_variable_from_a_secret_is_no_secret(check):
    reference = {"secretKeyRef": {"name": "store", "key": "password"}}
    assert check(pod("containers/0/env", [{"name": "DB_PASSWORD", "valueFrom": reference}])) == []


def test_secret_with_a_value_is_an_error_and_an_empty_one_is_not(check):
    found = check(named("Secret", stringData={"password": "hunter2-canary"}, data={"key": "aHVudGVyMg=="}))
    assert [(one.rule, one.field, one.value) for one in found] == [
        ("secret-in-manifest", "data.key", None), ("secret-in-manifest", "stringData.password", None),
    ]  # fmt: skip
    assert check(named("Secret", metadata={"annotations": {"serving.kserve.io/s3-usehttps": "1"}})) == []


def test_secret_in_a_config_map_is_found_by_name_and_by_form(check):
    settings = "[db]\nhost=db\npassword=hunter2-canary\n"
    found = check(
        named("ConfigMap", data={"settings.ini": settings, "API_KEY": "9f8e7d6c", "region": "eu"})
    )
    assert sorted(one.field for one in found) == ["data.API_KEY", "data.settings.ini"]


def test_job_without_a_deadline_may_hang(check):
    job = named("Job", spec={"template": {"spec": pod()["spec"]}})
    assert [one.rule for one in check(job)] == ["missing-timeout"]


def test_inference_service_says_its_mode(check):
    assert check(SERVICE) == []
    silent = changed(SERVICE, "metadata/annotations", None)
    assert [(one.rule, one.severity) for one in check(silent)] == [("deployment-mode", "warning")]


def test_canary_that_its_mode_ignores_is_told(check):
    (found,) = check(changed(SERVICE, "spec/predictor/canaryTrafficPercent", 10))
    assert (found.rule, found.value) == ("deployment-mode", "10")


def test_account_of_runs_keeps_its_token(check):
    account = named("ServiceAccount", automountServiceAccountToken=False)
    schedule = named("ScheduledWorkflow", apiVersion="kubeflow.org/v1beta1", spec={"serviceAccount": "x"})
    assert check(account) == []
    assert [one.rule for one in check([account, schedule])] == ["service-account-token"]


def test_host_path_is_named_with_its_path(check):
    (found,) = check(pod("volumes", [{"name": "v", "hostPath": {"path": "/var/run/docker.sock"}}]))
    assert (found.field, found.value) == ("spec.volumes[0].hostPath", "/var/run/docker.sock")


def test_container_without_resources_is_told_what_it_lacks(check):
    (found,) = check(
        pod("containers", [{key: value for key, value in CONTAINER.items() if key != "resources"}])
    )
    assert found.message == "no cpu request, no cpu limit, no memory request, no memory limit"

"""The rules of `millrace check` and a real API server give the same answer about the same pods."""

import pytest
import yaml

from pipelines.checks.check import check_files
from tests.pipelines.checks.pods import BASELINE, RESTRICTED, pod

pytestmark = pytest.mark.cluster

LEVELS = ("baseline", "restricted")
CHANGES = [*BASELINE.items(), *RESTRICTED.items(), ("hostUsers", None)]

# The API itself refuses these, in any namespace: they contradict other fields of the pod.
INVALID = [path for path in BASELINE if path.endswith(("privileged", "procMount", "hostProcess"))]


@pytest.fixture(scope="module")
def namespaces(cluster):
    """A namespace that enforces each standard."""
    label = "pod-security.kubernetes.io/enforce"
    objects = [
        one
        for level in LEVELS
        for one in (
            {"kind": "Namespace", "metadata": {"name": f"checks-{level}", "labels": {label: level}}},
            {"kind": "ServiceAccount", "metadata": {"name": "default", "namespace": f"checks-{level}"}},
        )
    ]
    objects = [{"apiVersion": "v1", **one} for one in objects]
    assert (answer := cluster.apply(objects)).ok, answer.error
    yield {level: f"checks-{level}" for level in LEVELS}
    cluster.delete(objects)


@pytest.mark.parametrize(("path", "value"), CHANGES)
def test_the_rules_of_pod_security_are_those_of_the_api_server(cluster, namespaces, tmp_path, path, value):
    content = pod(path, value) if path != "hostUsers" else pod()
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    broken = {one.rule.removeprefix("pod-security-") for one in check_files([str(tmp_path / "pod.yaml")])}
    for level in LEVELS:
        content["metadata"]["namespace"] = namespaces[level]
        answer = cluster.create_pod(content)
        refused = "violates PodSecurity" in answer.error or (
            path in INVALID and "is invalid" in answer.error
        )
        assert refused != answer.ok, answer.error
        assert refused == bool(broken & set(LEVELS[: LEVELS.index(level) + 1])), answer.error

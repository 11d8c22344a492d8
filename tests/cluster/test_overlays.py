"""Overlays, applied to a real API server as their users do: twice, and away again."""

import base64
import hashlib

import pytest

from tests.cluster.conftest import OVERLAYS
from tests.house import ROOT

pytestmark = pytest.mark.cluster

OPTIONS = sorted(path.parent.name for path in (ROOT / "manifests" / "options").glob("*/kustomization.yaml"))
BYSTANDER = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "bystander", "namespace": "default"},
}


def _identities(objects):
    return {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in objects}


def _apply_pruning(cluster, objects):
    """Apply a set, and remove what it held before and no longer holds."""
    arguments = ("--prune", "--applyset=applysets.tests.example/millrace")
    return cluster.apply(objects, *arguments, env={"KUBECTL_APPLYSET": "true"})


@pytest.fixture(scope="module")
def _applyset(cluster):
    # The name that Kubernetes' enhancement 3659 gives the set of a parent.
    digest = hashlib.sha256(b"millrace..ApplySet.tests.example").digest()
    known = f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"
    about = {
        "name": "millrace", "labels": {"applyset.kubernetes.io/id": known},
        "annotations": {
            "applyset.kubernetes.io/tooling": "kubectl/v1.35",
            "applyset.kubernetes.io/contains-group-kinds": "",
        },
    }  # fmt: skip
    parent = {"apiVersion": "tests.example/v1", "kind": "ApplySet", "metadata": about}
    assert (answer := cluster.apply([parent])).ok, answer.error


def test_applied_without_a_warning_a_second_time_an_overlay_changes_nothing(cluster, overlay):
    assert (first := cluster.apply(overlay)).ok, first.error
    assert "arning" not in first.error
    before = cluster.everything()
    assert _identities(overlay) <= before.keys()
    assert (second := cluster.apply(overlay)).ok, second.error
    assert cluster.everything() == before
    cluster.delete(overlay)


@pytest.mark.usefixtures("_applyset")
def test_pruned_an_overlay_leaves_nothing(cluster, overlay):
    before = cluster.everything().keys()
    assert (answer := _apply_pruning(cluster, [BYSTANDER, *overlay])).ok, answer.error
    assert _identities(overlay) <= cluster.everything().keys()
    assert (answer := _apply_pruning(cluster, [BYSTANDER])).ok, answer.error
    assert cluster.everything().keys() - before == _identities([BYSTANDER])
    cluster.delete([BYSTANDER])


@pytest.mark.usefixtures("_applyset")
def test_pruning_takes_what_an_option_brought_and_nothing_else(cluster, build):
    with_option, without = build("overlays/staging"), build("base")
    assert (answer := _apply_pruning(cluster, with_option)).ok, answer.error
    assert (answer := _apply_pruning(cluster, without)).ok, answer.error
    left = cluster.everything().keys()
    assert ("NetworkPolicy", "millrace-serving", "servers-from-istio") not in left
    assert _identities(without) <= left
    assert (answer := _apply_pruning(cluster, [BYSTANDER])).ok, answer.error
    cluster.delete([BYSTANDER])


def test_every_object_of_an_overlay_is_known_by_its_label(overlay):
    for one in overlay:
        assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == "millrace"


def test_taken_away_as_the_readme_says_nothing_is_left_but_the_namespaces(cluster, build):
    before, objects = cluster.everything().keys(), build("overlays/local")
    assert (answer := cluster.apply(objects)).ok, answer.error
    text = (ROOT / "manifests" / "README.md").read_text(encoding="utf-8")
    start = text.index("    kubectl delete --all")
    command = text[start : text.index("\n\n", start)].replace("\\\n", "").split()[1:]
    assert (answer := cluster.kubectl(*command)).ok, answer.error
    left = cluster.everything().keys() - before
    assert left == {("Namespace", "", "millrace"), ("Namespace", "", "millrace-serving")}
    cluster.delete(objects)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_option_fits_into_every_overlay(cluster, manifests, build, name):
    overlay = build(f"overlays/{name}")
    said = (manifests / "overlays" / name / "kustomization.yaml").read_text(encoding="utf-8")
    assert (answer := cluster.apply(overlay)).ok, answer.error
    for option in OPTIONS:
        if f"../../options/{option}\n" not in said:
            answer = cluster.apply(build(_with_option(manifests, name, option)), "--dry-run=server")
            assert answer.ok, f"{option}: {answer.error}"
    cluster.delete(overlay)


def _with_option(manifests, name, option):
    folder = manifests / "overlays" / f"{name}-with-{option}"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources: [../{name}]\ncomponents: [../../options/{option}]\n",
        encoding="utf-8",
    )
    return folder

"""What Argo CD and Flux would do with an overlay, as far as files and kustomize tell; neither runs here."""

import textwrap

import pytest
import yaml

from pipelines.checks.check import check_files
from tests.house import ROOT

pytestmark = pytest.mark.cluster

OPTIONS = ROOT / "manifests" / "options"
WAVE = "argocd.argoproj.io/sync-wave"


@pytest.fixture
def kustomize(manifests, build):
    """Build a kustomization that is given, from within the copy of manifests/."""

    def made(name, **fields):
        folder = manifests / "made" / name
        folder.mkdir(parents=True)
        head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(head | fields), encoding="utf-8")
        return build(folder)

    return made


def _load_all(file):
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def _kinds(objects):
    return {one["kind"] for one in objects}


def test_argo_cd_applies_namespaces_then_pipelines_then_versions_and_prunes_neither_end(build):
    objects = build("overlays/production")
    waves = {}
    for one in objects:
        waves.setdefault(one["kind"], set()).add(int(one["metadata"].get("annotations", {}).get(WAVE, "0")))
    assert max(waves["Namespace"]) < min(waves["Role"]) <= min(waves["Pipeline"])
    assert max(waves["Pipeline"]) < min(waves["PipelineVersion"])
    for one in objects:
        kept = one["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-options")
        assert (kept == "Prune=false") == (one["kind"] in ("Namespace", "PipelineVersion"))


def test_argo_cd_is_shown_an_overlay_that_is_there():
    (application,) = _load_all(OPTIONS / "argocd" / "application.yaml")
    assert (ROOT / application["spec"]["source"]["path"] / "kustomization.yaml").exists()
    assert "ServerSideApply=true" in application["spec"]["syncPolicy"]["syncOptions"]


def test_flux_applies_all_but_versions_and_then_nothing_but_versions(kustomize, build):
    _, first, second = _load_all(OPTIONS / "flux" / "sync.yaml")
    assert second["spec"]["dependsOn"] == [{"name": first["metadata"]["name"]}]
    place = first["spec"]["path"].removeprefix("./manifests/")
    before = kustomize("first", resources=[f"../../{place}"], patches=first["spec"]["patches"])
    after = build(second["spec"]["path"].removeprefix("./manifests/"))
    assert "Pipeline" in _kinds(before)
    assert "PipelineVersion" not in _kinds(before)
    assert _kinds(after) == {"PipelineVersion"}
    assert len(before) + len(after) == len(build(place))
    assert second["spec"]["prune"] is False


def _patches_of_the_readme(beginning):
    text = (ROOT / "manifests" / "README.md").read_text(encoding="utf-8")
    start = text.index(beginning) + 1
    return yaml.safe_load(textwrap.dedent(text[start : text.index("\n\n", start)]))["patches"]


def test_the_patch_of_the_readme_leaves_out_what_kubeflow_pipelines_alone_does_not_know(kustomize, build):
    patches = _patches_of_the_readme("\n       patches:\n")
    left = kustomize("alone", resources=["../../overlays/local"], patches=patches)
    assert _kinds(build("overlays/local")) - _kinds(left) == {
        "ServingRuntime",
        "Pipeline",
        "PipelineVersion",
    }
    assert {one["apiVersion"].partition("/")[0] for one in left} == {
        "v1", "rbac.authorization.k8s.io", "networking.k8s.io", "policy",
    }  # fmt: skip


def test_the_schedule_of_the_readme_is_taken(cluster, kustomize):
    patches = _patches_of_the_readme("\n    patches:\n")
    resources, components = ["../../overlays/staging"], ["../../options/scheduled-training"]
    objects = kustomize("schedule", resources=resources, components=components, patches=patches)
    assert (answer := cluster.apply(objects)).ok, answer.error
    schedule = next(one for one in objects if one["kind"] == "ScheduledWorkflow")["spec"]
    assert schedule["enabled"]
    assert {one["name"]: yaml.safe_load(one["value"]) for one in schedule["workflow"]["parameters"]} == {
        "sources": {"flights": "s3://data/flights/*.parquet"}, "label": "late",
        "deploy": {"target": "none"},
    }  # fmt: skip
    cluster.delete(objects)


def test_the_lint_finds_no_error_in_production(build, tmp_path):
    file = tmp_path / "production.yaml"
    file.write_text(yaml.safe_dump_all(build("overlays/production")), encoding="utf-8")
    found = check_files([str(file)], production=True)
    assert [str(one) for one in found if one.severity == "error"] == []

"""Pipelines for git: what KFP's own compiler writes, named by content, and applied in order."""

from pathlib import Path

import yaml
from kfp import compiler
from kfp.compiler.compiler_utils import KubernetesManifestOptions

from pipelines.build import Build
from pipelines.compiling.manifests import manifests, manifests_text
from pipelines.compiling.package import package_text, version_name
from pipelines.training import define


def test_but_for_annotations_they_are_what_kfp_itself_writes(tmp_path: Path):
    # The oracle: kfp 2.17's own manifests of the same pipeline under the same names.
    version = version_name("training", package_text("training", Build()))
    options = KubernetesManifestOptions(
        pipeline_name="training", pipeline_display_name="training", pipeline_version_name=version,
        pipeline_version_display_name=version, include_pipeline_manifest=True,
    )  # fmt: skip
    file = tmp_path / "kfp.yaml"
    compiler.Compiler().compile(
        define(Build()), str(file), kubernetes_manifest_format=True, kubernetes_manifest_options=options
    )
    expected = list(yaml.safe_load_all(file.read_text()))
    found = list(yaml.safe_load_all(manifests_text(package_text("training", Build()))))
    waves = [one["metadata"].pop("annotations")["argocd.argoproj.io/sync-wave"] for one in found]
    assert found == expected
    assert waves == ["0", "1"]


def test_a_version_has_another_name_when_one_byte_differs_and_the_pipeline_has_not():
    text = package_text("screening", Build())
    (pipeline, version), (same, other) = manifests(text), manifests(text.replace("resolve", "Resolve", 1))
    assert pipeline == same
    assert version["metadata"]["name"] != other["metadata"]["name"]
    assert version["spec"]["pipelineName"] == pipeline["metadata"]["name"] == "screening"


def test_names_are_names_of_kubernetes():
    name = version_name("training", package_text("training", Build()))
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert len(name) <= 63

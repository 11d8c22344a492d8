"""What `make manifests` writes: fresh where it is committed, and no production without its images."""

import re
import shutil
import subprocess

import pytest
import yaml

from components.common.errors import BadInputError
from tests.house import ROOT
from tools.render_manifests import main, render_overlay, render_pipelines, render_production

MANIFESTS = ROOT / "manifests"
DIGEST = f"sha256:{'1' * 64}"
SERVING = ("serving", "serving-tensorflow")
GROUPS = ("ingestion", "validation", "modelling", "modelling-gpu", "deployment", *SERVING)


@pytest.fixture
def copy(tmp_path):
    """A repository of manifests only, of which nothing is rendered yet."""
    ignored = shutil.ignore_patterns("rendered", "pipelines")
    shutil.copytree(MANIFESTS, tmp_path / "manifests", ignore=ignored)
    (tmp_path / "docker").mkdir()
    return tmp_path / "manifests"


@pytest.fixture
def lock(copy):
    file = copy.parent / "docker" / "images.lock"
    lines = (f"millrace/{group}: registry.example/team/millrace/{group}@{DIGEST}\n" for group in GROUPS)
    file.write_text("".join(lines), encoding="utf-8")
    return file


def _load(file):
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _written(copy):
    """What a rendering wrote, by its path in manifests/."""
    folders = [copy / "base" / "pipelines", *copy.glob("overlays/*/rendered")]
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(copy).as_posix(): file.read_bytes() for file in files}


def _tracked(*paths):
    words = ["git", "ls-files", "--", *paths]
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def _committed():
    """The same of what git knows, with the bytes that lie here; what was deleted is left out."""
    names = _tracked("manifests/base/pipelines", ":(glob)manifests/overlays/*/rendered/**")
    return {name.partition("/")[2]: (ROOT / name).read_bytes() for name in names if (ROOT / name).exists()}


def _differences(committed, fresh):
    return {
        "missing": sorted(fresh.keys() - committed.keys()),
        "stale": sorted(name for name in fresh.keys() & committed.keys() if fresh[name] != committed[name]),
        "extra": sorted(committed.keys() - fresh.keys()),
    }


SAME = {"missing": [], "stale": [], "extra": []}


def test_golden_manifests_are_what_the_pipelines_give_now_and_nothing_else(copy):
    """Of production, too, once the lock of images is in git."""
    render_pipelines(copy)
    for name in ("local", "staging"):
        render_overlay(copy / "overlays" / name, copy / "overlays" / name / "images.yaml")
    if _tracked("docker/images.lock"):
        render_production(copy, ROOT / "docker" / "images.lock")
    found = _differences(_committed(), _written(copy))
    assert found == SAME, "run `make manifests`, read the diff, and have git know all of it"


def test_what_is_missing_stale_or_left_over_is_told_apart(copy):
    render_pipelines(copy)
    fresh = _written(copy)
    assert _differences(fresh, fresh) == SAME
    first, second, *_ = fresh
    old = {name: content for name, content in fresh.items() if name != first}
    old |= {second: b"old", "overlays/local/rendered/versions/gone.yaml": b""}
    assert _differences(old, fresh) == {
        "missing": [first], "stale": [second], "extra": ["overlays/local/rendered/versions/gone.yaml"],
    }  # fmt: skip


def test_nothing_stays_of_what_is_rendered_no_more(copy):
    overlay = copy / "overlays" / "local"
    leftover = overlay / "rendered" / "versions" / "gone.yaml"
    for _ in range(2):
        render_overlay(overlay, overlay / "images.yaml")
        assert not leftover.exists()
        leftover.touch()


def test_the_name_of_a_version_changes_with_its_images(copy):
    overlay = copy / "overlays" / "local"
    names = []
    for tag in ("local", "other"):
        images = copy / f"{tag}.yaml"
        images.write_text("".join(f"millrace/{each}: here/millrace/{each}:{tag}\n" for each in GROUPS))
        render_overlay(overlay, images)
        names.append(_load(overlay / "rendered" / "versions" / "training.yaml")["metadata"]["name"])
    assert names[0] != names[1]
    assert all(re.fullmatch(r"training-[0-9a-f]{12}", name) for name in names)


def test_build_options_of_an_overlay_are_taken(copy):
    overlay = copy / "overlays" / "local"
    (overlay / "build.yaml").write_text(
        "tasks: {every: {variables: {AWS_ENDPOINT_URL: http://store:9000}}}\n"
    )
    render_overlay(overlay, overlay / "images.yaml")
    assert "AWS_ENDPOINT_URL" in (overlay / "rendered" / "versions" / "training.yaml").read_text(
        encoding="utf-8"
    )


def test_every_image_of_production_is_named_by_its_digest(copy, lock):
    render_production(copy, lock)
    rendered = copy / "overlays" / "production" / "rendered"
    assert _load(rendered / "kustomization.yaml")["images"] == [
        {"name": f"millrace/{name}", "newName": f"registry.example/team/millrace/{name}", "digest": DIGEST}
        for name in SERVING
    ]
    for name in ("training", "screening"):
        executors = _load(rendered / "versions" / f"{name}.yaml")["spec"]["pipelineSpec"]["deploymentSpec"][
            "executors"
        ]
        for one in executors.values():
            assert re.fullmatch(
                rf"registry\.example/team/millrace/[a-z]+@{DIGEST}", one["container"]["image"]
            )


def test_without_a_lock_all_but_production_is_rendered_and_one_line_says_so(copy, monkeypatch, capsys):
    monkeypatch.chdir(copy.parent)
    assert main() == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: production has no images: the file is missing — docker/images.lock — "
        "`make push REGISTRY=… TAG=…` writes it"
    ]
    assert (copy / "overlays" / "staging" / "rendered").exists()
    assert not (copy / "overlays" / "production" / "rendered").exists()


@pytest.mark.parametrize(
    "reference",
    [
        "registry.example/millrace/serving:v1",
        f"localhost/millrace/serving@{DIGEST}",
        f"millrace/serving@{DIGEST}",
    ],
)
def test_a_lock_with_an_image_that_no_cluster_finds_for_sure_is_refused(copy, lock, reference):
    text = lock.read_text(encoding="utf-8").splitlines()[:-1]
    lock.write_text("\n".join([*text, f"millrace/serving: {reference}"]), encoding="utf-8")
    with pytest.raises(BadInputError, match="no place in a registry for `millrace/serving`"):
        render_production(copy, lock)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (
            "localhost:5000/millrace/serving:local",
            {"newName": "localhost:5000/millrace/serving", "newTag": "local"},
        ),
        (
            "localhost:5000/millrace/serving",
            {"newName": "localhost:5000/millrace/serving", "newTag": "latest"},
        ),
        (f"a.b/serving:v1@{DIGEST}", {"newName": "a.b/serving", "digest": DIGEST}),
    ],
)
def test_a_reference_is_taken_apart_for_kustomize(copy, reference, told):
    images = copy / "images.yaml"
    images.write_text("".join(f"millrace/{each}: {reference}\n" for each in GROUPS), encoding="utf-8")
    render_overlay(copy / "overlays" / "local", images)
    found = _load(copy / "overlays" / "local" / "rendered" / "kustomization.yaml")["images"]
    assert found == [{"name": f"millrace/{name}", **told} for name in SERVING]

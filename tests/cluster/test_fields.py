"""No field that is misspelt goes through: every kind that manifests hold, each of its fields in turn."""

import copy

import pytest
import yaml

from tests.house import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("standing")]

BESIDE = ("options/argocd/application.yaml", "options/flux/sync.yaml")  # applied by hand
OPTIONAL = ("prometheus/servers.yaml", "scheduled-training/training.yaml", "knative/activator.yaml")
EXAMPLES = ("inference_service.yaml", "http_route.yaml")
# What their owners leave open, so that nobody can tell what is misspelt there.
OPEN = (
    "pipelineSpec", "platformSpec", "data", "hard", "labels", "annotations", "matchLabels", "requests",
    "limits", "default", "defaultRequest",
)  # fmt: skip


@pytest.fixture(scope="module")
def objects(cluster, build):
    """One object of each kind, with the namespaces that they are put into."""
    files = [ROOT / "manifests" / file for file in BESIDE]
    files += [ROOT / "manifests" / "options" / file for file in OPTIONAL]
    files += [ROOT / "tests" / "cluster" / name for name in EXAMPLES]
    read = [one for file in files for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))]
    for name in ("argocd", "flux-system"):
        cluster.kubectl("create", "namespace", name)
    found = {one["kind"]: one for one in [*build("overlays/production"), *read]}
    assert len(found) >= 18
    return found


def _places(value, path=()):
    """Paths to every mapping of which the owner knows all keys."""
    if isinstance(value, dict):
        yield path
        for key, inside in value.items():
            if key not in OPEN:
                yield from _places(inside, (*path, key))
    elif isinstance(value, list):
        for at, inside in enumerate(value):
            yield from _places(inside, (*path, at))


def _misspelt(whole, path):
    changed = copy.deepcopy(whole)
    place = changed
    for key in path:
        place = place[key]
    place["mispelt"] = {}
    return changed


def _create(cluster, one, validation):
    """Try to create an object; its fields are judged before it matters that it is there already."""
    return cluster.kubectl(
        "create", f"--validate={validation}", "--dry-run=server", "--output=json", "-f", "-", given=[one]
    )  # fmt: skip


def test_all_kinds_are_as_their_definitions_say(cluster, objects):
    for kind, one in objects.items():
        answer = cluster.apply([one], "--dry-run=server", "--force-conflicts")
        assert answer.ok, f"{kind}: {answer.error}"


def test_a_misspelt_field_of_any_mapping_is_refused(cluster, objects):
    for kind, one in objects.items():
        for path in _places(one):
            answer = _create(cluster, _misspelt(one, path), "strict")
            assert "unknown field" in answer.error, (
                f"{kind} takes a misspelt field in {path}: {answer.error}"
            )
            assert "mispelt" in answer.error


def test_without_strictness_the_same_field_is_dropped_in_silence(cluster, objects):
    one = _misspelt(objects["InferenceService"], ("spec", "predictor"))
    found = _create(cluster, one, "ignore").json()["spec"]["predictor"]
    assert "mispelt" not in found
    assert found["maxReplicas"] == one["spec"]["predictor"]["maxReplicas"]

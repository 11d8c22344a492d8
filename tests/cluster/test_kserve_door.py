"""The door `deploy_model` on KServe: golden requests go to real servers in the places of pods."""

from types import SimpleNamespace

import pytest

from components.common.artifacts import read_endpoint
from components.deployment.component import deploy_model, promote, roll_back
from tests.cluster.answering import STORE
from tests.cluster.releases import live

pytestmark = pytest.mark.cluster


@pytest.fixture
def door(deployer, pods, named, tmp_path):
    """The door with the deployer's token where a run has it mounted; returns what it wrote."""

    def deploy(name, **options):
        folder = tmp_path / f"endpoint-{name}"
        model = SimpleNamespace(path=str(pods.root / name), uri=f"minio://{STORE}/{name}")
        golden = SimpleNamespace(path=str(pods.root / f"{name}-golden"))
        endpoint = SimpleNamespace(path=str(folder), uri=str(folder), metadata={})
        knobs = {"timeout_seconds": 60.0, **options}
        deploy_model.python_func(
            evaluated_model=model,
            golden_requests=golden,
            model_name="flights",
            endpoint=endpoint,
            options=knobs,
        )
        return read_endpoint(folder)

    return deploy


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_model_that_answers_otherwise_is_taken_back(door, pods, played, mode, capfd, monkeypatch):
    options = {"strategy": "replace", "kserve": {"mode": mode}}
    first = door("first", **options)
    monkeypatch.setitem(pods.ports, f"s3://{STORE}/second", pods.ports[f"s3://{STORE}/first"])
    with pytest.raises(SystemExit) as ended:
        door("second", **options)
    assert ended.value.code == 3
    assert "answers otherwise than the judged model" in capfd.readouterr().err
    assert live(played)["spec"]["predictor"]["labels"]["millrace/revision"] == first.revision


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_what_was_held_is_promoted_by_hand_and_rolled_back(door, target_of, tmp_path, mode):
    options = {"strategy": "canary", "kserve": {"mode": mode}, "timeout_seconds": 60.0}
    first = door("first", **options)
    soon = {"interval_seconds": 0.1, "deadline_seconds": 0.5, "steps": [25, 100]}
    with pytest.raises(SystemExit) as held:  # nobody counts its requests, so that it cannot be judged
        door("second", **options, **soon)
    assert held.value.code == 3
    observed = target_of(**options).observe("flights")
    assert observed.stable.revision == first.revision
    assert observed.weights == {first.revision: 75, observed.canary.revision: 25}
    endpoint = SimpleNamespace(path=str(tmp_path / "promoted"), uri="", metadata={})
    promote.python_func(model_name="flights", endpoint=endpoint, options=options)
    assert target_of(**options).observe("flights").weights == {observed.canary.revision: 100}
    endpoint = SimpleNamespace(path=str(tmp_path / "former"), uri="", metadata={})
    roll_back.python_func(model_name="flights", endpoint=endpoint, options=options)
    assert target_of(**options).observe("flights").weights == {first.revision: 100}

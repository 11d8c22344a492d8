"""The compiled training pipeline on KServe: its deployment task, as KFP's launcher would have it executed.

The launcher itself, which fetches artifacts and mounts the deployer's token, is played: models lie where
it puts those of the scheme `minio`, and the token stands in a kubeconfig.
"""

from collections.abc import Mapping

import pytest
from kfp.dsl.executor import Executor
from kfp.dsl.types import artifact_types

from components.common.artifacts import read_endpoint
from components.common.seal import model_digest
from pipelines.build import Build
from pipelines.compiling.package import compile_pipeline
from pipelines.local.content import Artifact
from pipelines.local.exchange import executor_input
from pipelines.local.reading import read_package
from pipelines.local.resolution import Outcome, resolve_inputs
from pipelines.local.runner import resolve_parameters
from tests.cluster.answering import STORE
from tests.cluster.prometheus import Answers
from tests.cluster.releases import MODES, live, shares

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("routing", "deployer", "named")]

STEPS = {"steps": [25, 100], "interval_seconds": 0.1, "deadline_seconds": 5.0}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """The training pipeline, compiled as for Kubeflow."""
    return read_package(compile_pipeline("training", Build(), tmp_path_factory.mktemp("package")))


@pytest.fixture
def run(plan, pods, tmp_path, monkeypatch):
    """Execute the deployment task of a run with parameters, as if evaluation had ended with a model."""
    monkeypatch.setattr(artifact_types, "_MINIO_LOCAL_MOUNT_PREFIX", f"{tmp_path}/minio/")
    (tmp_path / "minio").mkdir()
    (tmp_path / "minio" / STORE).symlink_to(pods.root)

    def deploy(model: str, parameters: Mapping):
        task = plan.graph.tasks["deploy-model"]
        evaluated = {
            port: Artifact(port=port, title=kind, version="0.0.1", uri=f"minio://{STORE}/{name}", id=1)
            for port, kind, name in (
                ("evaluated_model", "system.Model", model),
                ("golden_requests", "system.Artifact", f"{model}-golden"),
            )
        }
        given = resolve_parameters(plan, {"sources": {}, "label": "late", **parameters})
        results = {name: Outcome(state="COMPLETE") for name in task.after}
        results["evaluate"] = Outcome(state="COMPLETE", values=evaluated)
        inputs = resolve_inputs(task, given, results, {"pipeline_job_uuid": f"run-of-{model}"})
        folder = tmp_path / f"run-of-{model}"
        asked = executor_input(task, inputs, folder / "exchange", folder)
        module = {}
        source = next(part for part in task.work.command if "def deploy_model(" in part)
        exec(compile(source, "deploy_model.py", "exec"), module)  # noqa: S102 - our own, of the package
        Executor(executor_input=asked, function_to_execute=module["deploy_model"]).execute()
        return read_endpoint(folder / "endpoint")

    return deploy


@pytest.fixture(params=MODES)
def parameters(request, counts, pods, played):
    """Parameters of a run: those of a mode, with a Prometheus that counts by the shares asked for."""
    old = model_digest(pods.root / "first")[:12]

    def shared():
        asked = shares(live(played))  # in the mode Knative, that of a canary alone
        left = 100 - sum(asked.values())
        return {**asked, **({old: left} if left else {})}

    counts.shares = shared
    kserve = {**MODES[request.param].get("kserve", {}), "prometheus": counts.address}
    return {"model_name": "flights", "deploy": {"target": "kserve", "kserve": kserve, **STEPS}}


def test_a_run_releases_its_model_by_steps_by_parameters_alone(run, parameters, played, capfd):
    first = run("first", parameters)
    assert first.traffic == {first.revision: 100}
    second = run("second", parameters)
    assert second.traffic == {second.revision: 100}
    assert second.model_uri == f"minio://{STORE}/second"
    told = live(played)["spec"]["predictor"]
    assert told["labels"]["millrace/revision"] == second.revision
    assert told["annotations"]["millrace/run-id"] == "run-of-second"
    said = capfd.readouterr().out
    assert f"revision {second.revision} of `flights` is ready and answers 4 golden requests" in said
    assert f"revision {second.revision} is no worse than {first.revision} at 25 %" in said


def test_a_run_whose_model_is_worse_ends_red_and_the_old_one_is_back(
    run, parameters, counts, played, pods, capfd
):
    first = run("first", parameters)
    new = model_digest(pods.root / "second")[:12]
    counts.answers[new] = Answers(errors=0.2)
    with pytest.raises(SystemExit) as ended:
        run("second", parameters)
    assert ended.value.code == 3
    assert live(played)["spec"]["predictor"]["labels"]["millrace/revision"] == first.revision
    told = f"error: not released: revision {new} is worse than {first.revision} at 25 %"
    assert told in capfd.readouterr().err

"""`millrace submit` against an API server whose every message is held against KFP's models."""

import json
import re
import shutil

import pytest

from pipelines.build import Build
from pipelines.compiling.image_map import read_image_map
from pipelines.compiling.package import compile_pipeline
from pipelines.local.events import LoopStarted, TaskChanged
from pipelines.remote.api import Kubeflow
from pipelines.remote.host import Host
from pipelines.remote.submission import Submission, make_ready, submit
from pipelines.remote.watching import watch
from pipelines.request import Request
from tests.pipelines.remote.server import Fault

PREPARED = ("SUCCEEDED", 10, 25)
DONE = {
    "prepare": PREPARED, "train-0": ("SUCCEEDED", 30, 40), "train-1": ("SUCCEEDED", 31, 45),
    "choose": ("SUCCEEDED", 45, 60), "halt": ("SUCCEEDED", 62, 70),
}  # fmt: skip


def submitted(kubeflow):
    (run,) = kubeflow.api.runs.values()
    return run


def test_run_is_begun_from_a_version_that_is_named_by_its_content(millrace, kubeflow, package, plan):
    said = millrace("submit", package, "-p", "rows=3", "-p", "options.most=7", "-p", "note=17")
    assert (said.code, said.out) == (0, f"{submitted(kubeflow)['run_id']}\n")
    assert submitted(kubeflow)["runtime_config"]["parameters"] == {
        "rows": 3, "options": {"most": 7}, "note": "17"
    }  # fmt: skip
    (version,) = kubeflow.api.versions.values()
    assert version["name"] == f"line-{plan.digest[:12]}"
    assert version["pipeline_spec"]["pipelineInfo"]["name"] == "line"
    assert [one["name"] for one in kubeflow.api.pipelines.values()] == ["line"]
    assert f"/#/runs/details/{submitted(kubeflow)['run_id']}" in said.err


def test_submitting_twice_makes_a_second_run_and_nothing_else(millrace, kubeflow, package, tmp_path):
    for _ in range(2):
        said = millrace("submit", package, "-p", "rows=3", "--experiment", "mine")
    assert "was there already" in said.err
    api = kubeflow.api
    assert [len(kept) for kept in (api.pipelines, api.versions, api.experiments, api.runs)] == [1, 1, 1, 2]
    changed = tmp_path / "changed.yaml"
    changed.write_text(package.read_text().replace("Trains a few.", "Trains some."))
    millrace("submit", changed, "-p", "rows=3")
    assert [len(kept) for kept in (api.pipelines, api.versions, api.experiments)] == [1, 2, 2]


def test_somebody_else_who_made_the_same_in_between_is_no_obstacle(millrace, kubeflow, package):
    taken = '{"error": "AlreadyExists", "code": 6, "message": "AlreadyExists"}'
    kubeflow.api.faults = [
        Fault(rf"POST .*/{what}", 409, taken, after=True) for what in ("pipelines$", "upload_version")
    ]
    assert millrace("submit", package, "-p", "rows=3").code == 0
    assert len(kubeflow.api.versions) == 1
    assert submitted(kubeflow)


def test_version_is_found_on_a_later_page(millrace, kubeflow, package):
    millrace("submit", package, "-p", "rows=3")
    kubeflow.api.page_size = 1
    twin = {**next(iter(kubeflow.api.experiments.values())), "experiment_id": "0"}
    kubeflow.api.experiments = {"0": {**twin, "display_name": "other"}, **kubeflow.api.experiments}
    assert millrace("submit", package, "-p", "rows=3").code == 0
    assert len(kubeflow.api.versions) == 1


def test_wait_shows_what_a_local_run_shows_and_ends_as_the_run_does(millrace, kubeflow, package, plan):
    kubeflow.api.play(
        plan, ("PENDING", {}), ("RUNNING", {"prepare": ("RUNNING", 10, None)}),
        ("RUNNING", {"prepare": PREPARED, "train-0": ("RUNNING", 30, None)}),
        ("RUNNING", {"prepare": PREPARED, "train-0": DONE["train-0"], "train-1": ("RUNNING", 31, None)}),
        ("SUCCEEDED", {**DONE, "choose": ("cached", 45, 45)}),
    )  # fmt: skip
    said = millrace("submit", package, "-p", "rows=3", "--wait")
    assert said.code == 0
    lines = [" ".join(line.split()) for line in said.err.splitlines()]
    steps = [line for line in lines if line[:1] in "▸✓=✗·"]
    assert steps == [
        "▸ prepare", "✓ prepare 15.0 s", "▸ train-0", "✓ train-0 10.0 s", "▸ train-1", "✓ train-1 14.0 s",
        "= choose cached", "▸ halt", "✓ halt 8.0 s",
    ]  # fmt: skip
    assert lines[-1] == "succeeded in 90.0 s"


def test_loop_is_closed_as_soon_as_it_has_ended(kubeflow, package, plan, tmp_path):
    """In a terminal its iterations are one line, which comes when no more can begin."""
    trained = {"prepare": PREPARED, "train-0": DONE["train-0"], "train-1": DONE["train-1"]}
    kubeflow.api.play(
        plan, ("RUNNING", {**trained, "train-1": ("RUNNING", 31, None)}), ("RUNNING", trained),
        ("RUNNING", {**trained, "choose": ("RUNNING", 45, None)}), ("SUCCEEDED", DONE),
    )  # fmt: skip
    ready = make_ready(Submission(request=Request(pipeline=str(package), settings=["rows=3"])))
    there = Kubeflow(Host(url=kubeflow.url))
    taken = submit(there, ready, Submission(request=Request()))
    events = []
    assert watch(there, taken.run_id, ready.package, events.append).exit_code == 0
    loops = [event for event in events if isinstance(event, LoopStarted)]
    assert [(event.count, event.growing) for event in loops] == [(2, True), (0, False)]
    chosen = next(event for event in events if isinstance(event, TaskChanged) and event.task == "choose")
    assert events.index(chosen) < events.index(loops[1]) < len(events) - 2


LAUNCHER = (
    "I1121 20:00:01.000000       1 launcher_v2.go:189] starting\n"
    "{said}\n"
    "I1121 20:00:09.000000       1 launcher_v2.go:204] publish\n"
    "F1121 20:00:09.100000       1 main.go:57] failed to execute component: exit status {status}\n"
    'time="2026-11-21T20:00:10.000Z" level=info msg="sub-process exited" argo=true error="<nil>"\n'
    "Error: exit status 1\n"
)


@pytest.mark.parametrize(
    ("status", "state", "code"), [(3, "refused", 3), (2, "failed", 2), (4, "failed", 4), (17, "failed", 1)]
)
def test_failed_run_ends_with_the_reason_from_the_log_of_its_task(
    millrace, kubeflow, package, plan, status, state, code
):
    failed = {**DONE, "halt": ("FAILED", 62, 70)}
    del failed["choose"]
    flow = kubeflow.api.play(plan, ("RUNNING", {"prepare": PREPARED}), ("FAILED", failed))
    said = "rows were read\nerror: anomalous: column `x` is empty"
    kubeflow.api.logs = {flow.pods["halt"]: LAUNCHER.format(said=said, status=status)}
    told = millrace("submit", package, "-p", "rows=3", "--wait")
    assert told.code == code
    assert "error: halt: anomalous: column `x` is empty\n" in told.err
    assert f"{state} in 90.0 s" in told.err
    assert "· choose" in told.err
    assert f"millrace logs {submitted(kubeflow)['run_id']} halt --host {kubeflow.url}" in told.err
    as_json = millrace("submit", package, "-p", "rows=3", "--wait", "--json")
    found = json.loads(as_json.out)
    assert (as_json.code, found["task"]) == (code, "halt")
    assert found["error"] == "halt: anomalous: column `x` is empty"
    assert found["state"] == state.upper()


@pytest.mark.parametrize("metadata", ["", "metadata-0-2-"])
def test_log_is_found_of_a_task_that_was_tried_again_and_has_labels(
    millrace, kubeflow, package, plan, tmp_path, metadata
):
    own = tmp_path / "own.yaml"
    labels = (
        "---\nplatforms:\n  kubernetes:\n    deploymentSpec:\n      executors:\n"
        "        exec-prepare:\n          podMetadata:\n            labels: {a: b, c: d}\n"
    )
    own.write_text(package.read_text() + (labels if metadata else ""))
    flow = kubeflow.api.play(plan, ("FAILED", {"prepare": ("FAILED", 10, 25, 3)}), metadata=metadata)
    kubeflow.api.logs = {flow.pods["prepare"]: LAUNCHER.format(said="error: no such file", status=2)}
    said = millrace("submit", own, "-p", "rows=3", "--wait")
    assert (said.code, "error: prepare: no such file" in said.err) == (2, True)


def test_task_that_could_not_be_started_is_told_by_the_log_of_its_driver(millrace, kubeflow, package, plan):
    flow = kubeflow.api.play(plan, ("FAILED", {"prepare": ("driver failed", 10, 12)}))
    kubeflow.api.logs = {flow.pods["prepare/driver"]: "F1121 20:00:09.1 1 main.go:79] secret is missing\n"}
    said = millrace("submit", package, "-p", "rows=3", "--wait")
    assert said.code == 1
    assert re.search("error: prepare: could not be started: .*secret is missing", said.err)


def test_reason_says_so_when_the_log_is_gone(millrace, kubeflow, package, plan):
    kubeflow.api.play(plan, ("FAILED", {"prepare": ("FAILED", 10, 25, 1)}))
    said = millrace("submit", package, "-p", "rows=3", "--wait")
    assert said.code == 1
    assert "error: prepare: failed, and its log cannot be read" in said.err


def test_run_that_was_cancelled_ends_with_130(millrace, kubeflow, package, plan):
    millrace("submit", package, "-p", "rows=3")
    run_id = submitted(kubeflow)["run_id"]
    submitted(kubeflow)["steps"] = [("RUNNING", [])]
    assert "is told to end" in millrace("cancel", run_id).out
    assert json.loads(millrace("runs", "--json").out)[0]["state"] == "CANCELLED"
    assert "has ended: cancelled" in millrace("cancel", run_id).out
    kubeflow.api.play(plan, ("CANCELED", {"prepare": ("FAILED", 10, 25, 1)}))
    assert millrace("submit", package, "-p", "rows=3", "--wait").code == 130


def test_interrupt_leaves_the_run_alone_and_says_how_to_end_it(millrace, kubeflow, package, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    kubeflow.api.steps = [("RUNNING", [])]
    monkeypatch.setattr("pipelines.remote.watching.time.sleep", interrupted)
    said = millrace("submit", package, "-p", "rows=3", "--wait")
    assert said.code == 130
    assert f"millrace cancel {submitted(kubeflow)['run_id']} --host {kubeflow.url}" in said.err
    assert kubeflow.api.asked("terminate") == []


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    file = tmp_path_factory.mktemp("images") / "images.lock"
    groups = ("ingestion", "validation", "modelling", "modelling-gpu", "deployment", "serving")
    file.write_text(
        "".join(f"millrace/{one}: registry.example/{one}@sha256:{'0' * 64}\n" for one in groups)
    )
    return file


@pytest.fixture(scope="module")
def training(images):
    return compile_pipeline("training", Build(images=read_image_map(images)), images.parent)


NONE = ("-p", "deploy.target=none")


def test_pipeline_of_ours_is_compiled_with_the_image_map(millrace, kubeflow, images, tmp_path):
    params = tmp_path / "mine.yaml"
    params.write_text("sources: {data: 's3://bucket/a.csv'}\nlabel: price\ntrials: 2\n")
    said = millrace("submit", "training", "--params", params, "--images", images, *NONE)
    assert (said.code, said.err.count("error")) == (0, 0)
    given = submitted(kubeflow)["runtime_config"]["parameters"]
    assert given == {
        "sources": {"data": "s3://bucket/a.csv"}, "label": "price", "trials": 2,
        "deploy": {"target": "none"},
    }  # fmt: skip
    (version,) = kubeflow.api.versions.values()
    assert "registry.example/ingestion@sha256:" in json.dumps(version["pipeline_spec"])
    assert 'image": "millrace/' not in json.dumps(version["pipeline_spec"])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["training", *NONE], "the image has no registry"),
        (["training.yaml", "--params", "gone.yaml"], "cannot be read"),
        (["gone.yaml"], "package is missing"),
        (["train"], "did you mean `training`"),
        (["training.yaml", "-p", "sources=a.csv"], "a file of this machine is not there on a cluster"),
        (["training.yaml", "-p", "module_uri=s3://b/x.py"], "volume only — parameter `module_uri`"),
        (["training.yaml", "-p", "baseline_uri=s3://b/m"], "Kubeflow hands on what its runs made"),
        (["training.yaml", "-p", "trails=3"], "did you mean `trials`"),
        (["training.yaml", "-p", "training.tolerence=3"], "did you mean `tolerance`"),
        (["training.yaml", "-p", "deploy.target=local"], "`local` serves on the machine of a run"),
        (["training.yaml", "-p", "trials=201", *NONE], "a round of 201 tasks"),
        (["training", "--images", "gone.lock"], "cannot be read"),
        (["line.yaml", "--images", "images.lock"], "is fixed in a package"),
        (["line.yaml"], "required parameter `rows` is missing"),
        (["line.yaml", "-p", "rows=many"], "must be a whole number"),
        (["line.yaml", "-p", "rows=3", "--token-file", "gone"], "cannot be read"),
    ],
)
def test_what_cannot_run_is_said_before_anything_is_sent(
    millrace, kubeflow, package, tmp_path, images, training, words, problem
):
    for file in (package, images, training):
        shutil.copy(file, tmp_path)
    if words[0].startswith("training"):
        words = [
            *words,
            *([] if any("sources" in word for word in words) else ["-p", "sources=s3://b/a.csv"]),
        ]
        words += ["-p", "label=y"]
    said = millrace("submit", *words)
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert problem in said.err
    assert kubeflow.api.requests == []


@pytest.mark.parametrize(
    "image", ["localhost/tools@sha256:00", f"sha256:{'0' * 64}", "millrace/validation"]
)
def test_image_that_no_node_can_pull_is_refused(millrace, kubeflow, package, tmp_path, image):
    local = tmp_path / "local.yaml"
    local.write_text(package.read_text().replace("registry.example/tools@sha256:00", image))
    said = millrace("submit", local, "-p", "rows=3")
    assert (said.code, "the image has no registry" in said.err) == (2, True)
    assert kubeflow.api.requests == []
    local.write_text(package.read_text().replace("registry.example/", "localhost:5000/"))
    assert millrace("submit", local, "-p", "rows=3").code == 0


def test_what_is_wrong_is_told_as_json_too(millrace, kubeflow, package):
    said = millrace("submit", package, "--json")
    found = json.loads(said.out)
    assert (said.code, said.err) == (2, "")
    assert "required parameter `rows` is missing" in found["error"]
    assert found["run_id"] is None
    begun = millrace("submit", package, "-p", "rows=3", "--json")
    assert begun.code == 0
    assert json.loads(begun.out)["run_id"] == submitted(kubeflow)["run_id"]

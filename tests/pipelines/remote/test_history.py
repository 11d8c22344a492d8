"""`runs`, `logs`, `compare` and `lineage` of runs on Kubeflow."""

import json
import sys

import pytest

from pipelines.cli import main
from pipelines.local.lineage_down import trace_down
from pipelines.remote.metadata import ServiceReader
from tests.pipelines.remote.server import Fault

DONE = {
    "prepare": ("SUCCEEDED", 10, 25, 1), "train-0": ("SUCCEEDED", 30, 40), "train-1": ("cached", 31, 31),
    "choose": ("SUCCEEDED", 45, 60), "halt": ("SKIPPED", 62, 62),
}  # fmt: skip


@pytest.fixture
def begun(millrace, kubeflow, package, plan):
    """A run that has ended, and the names of its pods."""

    def begin(*settings, steps=(("SUCCEEDED", DONE),), file=package):
        flow = kubeflow.api.play(plan, *steps)
        run_id = millrace("submit", file, "-p", "rows=3", *settings).out.strip()
        kubeflow.api.logs |= {pod: f"{label} wrote this\n" for label, pod in flow.pods.items()}
        return run_id, flow

    return begin


def test_runs_are_listed_newest_first_over_all_pages(millrace, kubeflow, begun):
    run_ids = [begun()[0] for _ in range(5)]
    kubeflow.api.page_size = 2
    found = json.loads(millrace("runs", "--json").out)
    assert [one["run_id"] for one in found] == run_ids[::-1]
    assert {(one["pipeline"], one["state"], one["seconds"]) for one in found} == {
        ("line", "SUCCEEDED", 90.0)
    }
    kubeflow.api.requests.clear()
    table = millrace("runs", "--limit", "2").out
    assert [line.split()[0] for line in table.splitlines()] == ["RUN", *run_ids[:2:-1]]
    assert len(kubeflow.api.asked("GET .*/runs")) == 1


def test_run_of_a_pipeline_that_was_deleted_is_listed(millrace, kubeflow, begun):
    run_id, _ = begun()
    kubeflow.api.pipelines.clear()
    (found,) = json.loads(millrace("runs", "--json").out)
    assert (found["run_id"], found["pipeline"]) == (run_id, found["name"])


@pytest.mark.parametrize("dashboard", [False, True])
def test_logs_come_from_the_api_server_and_behind_the_dashboard(millrace, kubeflow, begun, dashboard):
    run_id, _ = begun()
    kubeflow.api.dashboard = dashboard
    said = millrace("logs", run_id)
    assert said.code == 0
    assert said.out.splitlines() == [
        "==> prepare (succeeded, 15 s) <==", "prepare wrote this", "==> train-0 (succeeded, 10 s) <==",
        "train-0 wrote this", "==> train-1 (succeeded, cached) <==",
        "not executed: its results are those of an earlier run", "==> choose (succeeded, 15 s) <==",
        "choose wrote this", "==> halt (skipped) <==", "not executed",
    ]  # fmt: skip
    assert millrace("logs", run_id, "choose").out == "choose wrote this\n"
    assert "train-0 wrote this" in millrace("logs", run_id, "train").out
    assert bool(kubeflow.api.asked("GET /k8s/pod/logs")) == dashboard


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["{run}", "chose"], "did you mean `choose`"),
        (["nobody"], "no such run"),
        (["{run}", "choose"], "the log of choose is not to be had"),
    ],
)
def test_log_that_is_not_to_be_had_is_told_in_a_line(millrace, kubeflow, begun, words, problem):
    run_id, _ = begun()
    kubeflow.api.logs.clear()
    said = millrace("logs", *(word.format(run=run_id) for word in words))
    assert said.code in (2, 4)
    assert problem in said.err
    assert said.err.count("\n") == 1


def test_task_that_has_not_begun_is_told_from_one_that_is_not_there(millrace, begun):
    run_id, _ = begun(steps=(("RUNNING", {"prepare": ("RUNNING", 10, None, 1)}),))
    said = millrace("logs", run_id, "choose")
    assert (said.code, "the task has not begun" in said.err) == (2, True)


def test_following_goes_on_until_the_run_has_ended(millrace, kubeflow, begun):
    early = {"prepare": ("RUNNING", 10, None, 1)}
    run_id, _ = begun(steps=(("RUNNING", early), ("RUNNING", early), ("SUCCEEDED", DONE)))
    said = millrace("logs", run_id, "-f")
    assert said.code == 0
    assert said.out.count("prepare wrote this") == 1
    assert said.out.splitlines()[-1] == "choose wrote this"


def test_comparison_shows_parameters_versions_and_states(millrace, begun, package, tmp_path):
    first, _ = begun("-p", "options.most=5")
    other = tmp_path / "other.yaml"
    other.write_text(package.read_text().replace("return True", "return False"))
    second, _ = begun(steps=(("FAILED", {**DONE, "halt": ("FAILED", 62, 70)}),), file=other)
    found = json.loads(millrace("compare", first, second, "--json").out)
    changed = {one["name"]: (one["first"], one["second"]) for one in found["parameters"]}
    assert changed["options.most"] == (5, 3)
    assert set(changed) == {"options.most", "version"}
    tasks = {one["name"]: one for one in found["tasks"]}
    assert (tasks["halt"]["first"], tasks["halt"]["second"]) == ("SKIPPED", "FAILED")
    assert tasks["choose"]["changed"] == ["component"]
    assert tasks["prepare"]["changed"] == []
    table = millrace("compare", first, second)
    assert (table.code, "options.most" in table.out) == (0, True)


def test_lineage_without_metadata_is_what_the_package_says(millrace, kubeflow, begun):
    run_id, _ = begun(steps=(("SUCCEEDED", {**DONE, "halt": ("SUCCEEDED", 62, 70)}),))
    tree = json.loads(millrace("lineage", run_id, "--json").out)
    (best,) = tree["made_from"]
    assert (best["name"], best["task"], best["type"]) == ("best", "choose", "system.Model")
    (model,) = best["made_from"]
    assert (model["name"], model["task"]) == ("model", "train")
    (table,) = model["made_from"]
    assert (table["name"], table["task"], "uri" in table) == ("table", "prepare", False)
    assert "best" in millrace("lineage", run_id).out
    said = millrace("lineage", run_id, "--down")
    assert (said.code, "--metadata" in said.err) == (2, True)


def test_lineage_without_metadata_leaves_out_what_did_not_end_well(millrace, begun):
    run_id, _ = begun(steps=(("FAILED", {"prepare": DONE["prepare"], "train-0": ("FAILED", 30, 40)}),))
    tree = json.loads(millrace("lineage", run_id, "--json").out)
    assert [node["name"] for node in tree["made_from"]] == ["table"]


def test_failing_api_is_told_by_all_of_them(millrace, kubeflow, begun):
    run_id, _ = begun()
    kubeflow.api.faults = [Fault("GET .*/runs", 500, times=99)]
    for words in (["runs"], ["logs", run_id], ["compare", run_id, run_id], ["lineage", run_id]):
        said = millrace(*words)
        assert (said.code, said.err.count("\n")) == (4, 1)


def test_address_of_metadata_is_checked(millrace, begun):
    for wrong in ("http://x:1/", "x:port", "a b:0", "a b:1", "x:99999", "[::1", "me@x:1"):
        said = millrace("lineage", "x", "--metadata", wrong)
        assert (said.code, "option --metadata" in said.err) == (2, True), wrong


def test_metadata_that_nobody_serves_is_told_in_words(millrace, monkeypatch):
    monkeypatch.setattr("pipelines.remote.metadata.TIMEOUT_SECONDS", 0.5)
    said = millrace("lineage", "some-run", "--metadata", "127.0.0.1:1")
    assert said.code == 4
    assert "port-forward" in said.err
    assert said.err.count("\n") == 1
    with pytest.raises(Exception, match="does not answer"):
        trace_down(ServiceReader("127.0.0.1:1"), "x")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["runs", "--namespace", "x"], "--namespace"),
        (["runs", "--token-file", "t"], "--token-file"),
        (["runs", "--limit", "3"], "--limit"),
        (["logs", "r", "--metadata", "h:1"], "--metadata"),
        (["compare", "r", "s", "--metadata", "h:1"], "--metadata"),
        (["lineage", "r", "--namespace", "x"], "--namespace"),
    ],
)
def test_option_that_only_kubeflow_heeds_is_refused_without_a_host(
    monkeypatch, capsys, tmp_path, words, option
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["millrace", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"says nothing without --host — option {option}" in capsys.readouterr().err

"""Commands that change what answers, on a real supervisor with real servers."""

import json
import os
import signal
import time
from pathlib import Path
from statistics import fmean

import pytest
from typer.testing import CliRunner

from components.common.errors import ComponentError
from components.common.seal import model_digest
from pipelines.cli import app
from pipelines.local.serving.assign import assign
from tests.tiny_model import write_tiny_model

FEW = ("-p", "interval_seconds=0.1", "-p", "deadline_seconds=0.1")


@pytest.fixture
def millrace(supervisor, monkeypatch, capfd):
    """Run a command on the supervisor's root; returns its exit code and all that it wrote."""
    monkeypatch.setenv("MILLRACE_SUPERVISOR", "")  # put back what the commands set
    root = supervisor.file.parent.parent

    def run(*arguments):
        done = CliRunner().invoke(app, [*map(str, arguments), "--root", str(root)])
        if isinstance(done.exception, ComponentError):
            return done.exception.exit_code, str(done.exception)
        written = capfd.readouterr()
        return done.exit_code, done.output + written.out + written.err

    return run


def listed(millrace, name):
    found = json.loads(millrace("endpoints", "--json")[1])
    return next(one for one in found if one["name"] == name)


def test_release_hold_promote_and_roll_back_by_hand(millrace, models):
    first, second = (model_digest(models[name])[:12] for name in ("good", "other"))
    code, told = millrace("release", models["good"], "--name", "hand")
    assert code == 0, told
    assert "hand answers at http://127.0.0.1:" in told
    code, told = millrace("release", models["other"], "--name", "hand", "-p", "steps=[25,100]", *FEW)
    assert code == 3
    assert "`millrace promote hand`, or `millrace rollback hand`" in told
    assert listed(millrace, "hand")["weights"] == {second: 25, first: 75}
    code, told = millrace("endpoints")
    assert f"{second} 25 %, {first} 75 %" in told
    assert millrace("promote", "hand")[0] == 0
    assert listed(millrace, "hand")["weights"] == {second: 100}
    assert millrace("rollback", "hand")[0] == 0
    assert listed(millrace, "hand")["weights"] == {first: 100}
    assert millrace("rollback", "hand", "--to", second)[0] == 0
    code, told = millrace("promote", "hand")
    assert (code, "nothing to promote" in told) == (2, True)
    code, told = millrace("release", models["good"], "--name", "hand", "-p", "step=[25,100]")
    assert (code, "did you mean `steps`" in told) == (2, True)


def test_experiment_from_release_to_verdict(millrace, models, tmp_path):
    first, second = (model_digest(models[name])[:12] for name in ("good", "other"))
    outcomes = tmp_path / "outcomes.csv"
    assert millrace("release", models["good"], "--name", "tried")[0] == 0
    code, told = millrace("ab", "tried", "--outcomes", outcomes)
    assert (code, "no A/B test is under way" in told) == (2, True)
    split = ("-p", "strategy=ab", "-p", "steps=[40]", "-p", "sticky=X-User")
    code, told = millrace("release", models["other"], "--name", "tried", *split)
    assert code == 0, told
    endpoint = listed(millrace, "tried")
    assert (endpoint["weights"], endpoint["sticky"]) == ({second: 40, first: 60}, "X-User")
    rows, bought = ["key,outcome"], {first: [], second: []}
    for number in range(1000):  # of those whom the new one answers about half buy, of the others a quarter
        answered_by = assign(f"user-{number}", "tried", endpoint["weights"])
        bought[answered_by].append(int(number % (2 if answered_by == second else 4) == 0))
        rows.append(f"user-{number},{bought[answered_by][-1]}")
    outcomes.write_text("\n".join(rows) + "\n")
    difference = fmean(bought[second]) - fmean(bought[first])  # who is in which group hangs on the models
    code, told = millrace("ab", "tried", "--outcomes", outcomes, "--json")
    found = json.loads(told)
    assert (found["new"], found["old"], found["verdict"]) == (second, first, "better")
    assert found["users"] == [len(bought[second]), len(bought[first])]
    assert found["difference"] == pytest.approx(difference)
    assert found["interval"][0] < difference < found["interval"][1]
    assert abs(difference - 0.25) < 0.15  # five standard errors
    assert "better" in millrace("ab", "tried", "--outcomes", outcomes)[1]
    assert millrace("rollback", "tried")[0] == 0
    assert listed(millrace, "tried")["weights"] == {first: 100}


def test_users_keep_their_model_when_that_is_asked_for_later_and_after_a_third_one_failed(
    millrace, models, tmp_path
):
    """The order of the shares says whose users stay (see `assign`), so it is kept, too."""
    first, second = (model_digest(models[name])[:12] for name in ("good", "other"))
    third = write_tiny_model(tmp_path / "third", weight=4.0)
    assert millrace("release", models["good"], "--name", "later")[0] == 0
    for sticky in ((), ("-p", "sticky=X-User"), ("-p", "sticky=X-Account")):
        code, told = millrace(
            "release", models["other"], "--name", "later", "-p", "strategy=ab", "-p", "steps=[50]", *sticky
        )
        assert code == 0, told
        endpoint = listed(millrace, "later")
        assert endpoint["sticky"] == (sticky[-1].removeprefix("sticky=") if sticky else None)
        assert list(endpoint["weights"].items()) == [(second, 50), (first, 50)]
    steps = ("-p", "steps=[10,100]", "-p", "on_inconclusive=restore")
    code, told = millrace("release", third, "--name", "later", *steps, *FEW)
    assert (code, "not released" in told) == (3, True)
    assert f"{model_digest(third)[:12]} has 10 % of the requests" in told
    assert listed(millrace, "later")["sticky"] == "X-Account"
    assert list(listed(millrace, "later")["weights"].items()) == [(second, 50), (first, 50)]
    assert millrace("rollback", "later")[0] == 0


def test_model_in_a_store_is_fetched_and_proved(millrace, models, tmp_path):
    """`memory://` stands for a store: fsspec's own, in this process."""
    import fsspec

    fsspec.filesystem("memory").put(f"{models['good']}/", "/models/good/", recursive=True)
    code, told = millrace("release", "memory://models/good", "--name", "fetched", "--target", "none")
    assert code == 0, told
    code, told = millrace("release", "memory://models/nothing", "--name", "fetched", "--target", "none")
    assert (code, "cannot be fetched" in told) == (4, True)


def test_a_manifest_needs_a_folder_and_is_told_by_its_path(millrace, models, tmp_path, monkeypatch):
    """`memory://` cannot be fetched by KServe, so `s3://` is read from there."""
    import fsspec

    files = fsspec.filesystem("memory")
    files.put(f"{models['good']}/", "/manifests/good/", recursive=True)
    monkeypatch.setattr(fsspec, "url_to_fs", lambda uri: (files, uri.removeprefix("s3:/")))
    put = ("release", "s3://manifests/good", "--name", "written", "--target", "manifest")
    code, told = millrace(*put)
    assert (code, "option --out" in told, "--out FOLDER" in told) == (2, True, True)
    code, told = millrace(*put, "--out", tmp_path / "out")
    assert code == 0, told
    file = tmp_path / "out" / "inference_service.yaml"
    assert str(file) in told.splitlines()
    assert "storageUri: s3://manifests/good" in file.read_text()


def test_model_of_a_store_that_is_served_here_stays_here_and_starts_anew(millrace, models, tmp_path):
    import fsspec

    digest = model_digest(models["good"])
    fsspec.filesystem("memory").put(f"{models['good']}/", "/models/stays/", recursive=True)
    for _ in range(2):  # the second finds it here
        code, told = millrace("release", "memory://models/stays", "--name", "stays")
        assert code == 0, told
    (revision,) = listed(millrace, "stays")["revisions"]
    assert model_digest(Path(revision["model_uri"])) == digest
    os.kill(revision["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while (found := listed(millrace, "stays")["revisions"][0])["pid"] == revision["pid"] or found[
        "state"
    ] != "ready":
        assert found["state"] != "failed", found["reason"]
        assert time.monotonic() < deadline
        time.sleep(0.1)

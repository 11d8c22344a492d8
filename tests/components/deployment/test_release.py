"""Releases through a real supervisor with real model servers."""

import os
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from components.common.artifacts import read_endpoint, read_evaluation, write_evaluation
from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.common.seal import model_digest, seal_model
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy
from components.deployment.roll_back import roll_back_model
from tests.open_load import open_load

CONFIG = DeployConfig(target="local")


@pytest.fixture(scope="session")
def released(running_supervisor, models, golden, tmp_path_factory):
    """The first model, released as `released`; returns its endpoint artifact and what was printed."""
    folder = tmp_path_factory.mktemp("out") / "endpoint"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILLRACE_SUPERVISOR", str(running_supervisor.file))
        deploy(models["first"], golden[1.0], folder, model_name="released", config=DeployConfig())
    return folder


def test_first_release_has_all_requests_and_says_where_it_answers(released, serving, models):
    endpoint = read_endpoint(released)
    digest = model_digest(models["first"])
    assert endpoint.url == serving("released").url
    assert (endpoint.target, endpoint.revision) == ("local", digest[:12])
    assert endpoint.traffic == {digest[:12]: 100}
    assert (endpoint.model_digest, endpoint.model_uri) == (digest, str(models["first"]))
    assert endpoint.golden_requests == 4
    (revision,) = serving("released").revisions
    assert (revision["state"], revision["weight"]) == ("ready", 100)


def test_same_model_again_changes_nothing_but_is_proved_again(released, serving, models, golden, tmp_path):
    before = serving("released").revisions
    again = deploy(models["first"], golden[1.0], tmp_path / "e", model_name="released", config=CONFIG)
    assert again == read_endpoint(released)
    assert serving("released").revisions == before  # process ids included
    with pytest.raises(RefusedError, match=r"golden request 1.*serves as before"):
        deploy(models["first"], golden[2.0], tmp_path / "e", model_name="released", config=CONFIG)
    assert serving("released").revisions == before


def test_model_that_answers_otherwise_is_removed_and_the_old_keeps_all_requests(
    released, serving, models, golden, tmp_path
):
    before = serving("released").revisions
    with pytest.raises(RefusedError, match=f"answers otherwise.*{before[0]['revision']} serves as before"):
        deploy(models["second"], golden[1.0], tmp_path / "e", model_name="released", config=CONFIG)
    assert serving("released").revisions == before
    assert not (tmp_path / "e").exists()


def test_model_that_does_not_start_is_removed_and_the_old_keeps_all_requests(
    released, serving, models, golden, tmp_path
):
    before = serving("released").revisions
    with pytest.raises(RefusedError, match=r"does not start.*warm-up failed.*serves as before"):
        deploy(models["unstartable"], golden[3.0], tmp_path / "e", model_name="released", config=CONFIG)
    assert serving("released").revisions == before


def test_model_that_is_not_ready_in_time_leaves_nothing_behind(
    serving, models, golden, tmp_path, supervisor
):
    config = DeployConfig(target="local", timeout_seconds=1e-6)  # past at the first look
    with pytest.raises(UnavailableError, match=r"not ready in time.*nothing was served before"):
        deploy(models["first"], golden[1.0], tmp_path / "e", model_name="late", config=config)
    assert serving("late") is None


def test_second_model_takes_over_and_a_dead_one_is_started_anew(
    serving, models, golden, tmp_path, supervisor
):
    for name, weight in (("first", 1.0), ("second", 2.0)):
        deploy(models[name], golden[weight], tmp_path / name, model_name="both", config=CONFIG)
    (revision,) = serving("both").revisions
    assert revision["model_digest"] == model_digest(models["second"])
    assert revision["weight"] == 100
    os.kill(revision["pid"], signal.SIGKILL)
    deploy(models["second"], golden[2.0], tmp_path / "again", model_name="both", config=CONFIG)
    (started,) = serving("both").revisions
    assert (started["state"], started["weight"]) == ("ready", 100)
    assert started["pid"] != revision["pid"]
    supervisor.stop("both")


def test_release_and_rollback_under_load_fail_no_request(
    serving, models, golden, tmp_path, supervisor, capsys
):
    """200 requests a second, open-loop, half of them over kept connections."""
    deploy(models["first"], golden[1.0], tmp_path / "1", model_name="loaded", config=CONFIG)
    first, second = (model_digest(models[name])[:12] for name in ("first", "second"))
    with open_load(serving("loaded").url) as load:
        deploy(models["second"], golden[2.0], tmp_path / "2", model_name="loaded", config=CONFIG)
        assert "by v2, v1, v2 binary, gRPC" in capsys.readouterr().out
        assert [each["revision"] for each in serving("loaded").revisions] == [second]
        roll_back_model(tmp_path / "3", model_name="loaded", revision=None, config=CONFIG)
        assert [each["revision"] for each in serving("loaded").revisions] == [first]
    assert load.outcomes == {200: load.sent}, load.failures
    assert set(load.revisions) == {first, second}
    assert load.sent > 200
    supervisor.stop("loaded")


def test_rollback_goes_to_the_one_before_or_to_a_named_one(serving, models, golden, tmp_path, supervisor):
    deploy(models["first"], golden[1.0], tmp_path / "1", model_name="back", config=CONFIG)
    with pytest.raises(BadInputError, match=r"no model was released before.*those before: none"):
        roll_back_model(tmp_path / "e", model_name="back", revision=None, config=CONFIG)
    deploy(models["second"], golden[2.0], tmp_path / "2", model_name="back", config=CONFIG)
    first = model_digest(models["first"])[:12]
    with pytest.raises(BadInputError, match=f"no such revision.*those before: {first}"):
        roll_back_model(tmp_path / "e", model_name="back", revision="nope", config=CONFIG)
    back = roll_back_model(tmp_path / "3", model_name="back", revision=first, config=CONFIG)
    assert (back.revision, read_endpoint(tmp_path / "3")) == (first, back)
    again = roll_back_model(tmp_path / "4", model_name="back", revision=None, config=CONFIG)
    second = model_digest(models["second"])[:12]
    assert again.revision == second  # back from the way back
    before = serving("back").revisions
    there = roll_back_model(tmp_path / "5", model_name="back", revision=second, config=CONFIG)
    assert (there.revision, serving("back").revisions) == (second, before)  # process ids included
    supervisor.stop("back")
    with pytest.raises(BadInputError, match="no such endpoint"):
        roll_back_model(tmp_path / "e", model_name="back", revision=None, config=CONFIG)


def test_rollback_to_a_model_that_was_changed_leaves_the_present_one(
    serving, models, golden, tmp_path, supervisor
):
    first = shutil.copytree(models["first"], tmp_path / "first")
    deploy(first, golden[1.0], tmp_path / "1", model_name="gone", config=CONFIG)
    deploy(models["second"], golden[2.0], tmp_path / "2", model_name="gone", config=CONFIG)
    (first / "model.json").write_text("{}")
    before = serving("gone").revisions
    with pytest.raises(BadInputError, match=r"does not match its digest.*model\.json"):
        roll_back_model(tmp_path / "e", model_name="gone", revision=None, config=CONFIG)
    assert serving("gone").revisions == before
    supervisor.stop("gone")


def test_new_revision_that_dies_is_removed_and_the_old_keeps_all_requests(
    released, serving, models, golden, tmp_path
):
    """It is killed as soon as it runs, by an observer of its process id."""
    before = serving("released").revisions
    killed = []

    def kill():
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            new = [each for each in serving("released").revisions if each not in before]
            if new and new[0]["state"] == "ready":
                os.kill(new[0]["pid"], signal.SIGKILL)
                killed.append(new[0]["pid"])

    killer = threading.Thread(target=kill)
    killer.start()
    with open_load(serving("released").url) as load:
        with pytest.raises((RefusedError, UnavailableError), match=r"(died|does not).*serves as before"):
            deploy(models["second"], golden[2.0], tmp_path / "e", model_name="released", config=CONFIG)
        killer.join()
    assert killed
    assert serving("released").revisions == before
    assert load.outcomes[200] >= load.sent - 5, load.failures  # what the dead one may have had in hand


def test_model_that_may_do_more_than_compute_is_refused_before_anything_is_asked(models, golden, tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    folder = shutil.copytree(models["first"], tmp_path / "model")
    file = folder / "1" / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    model.meta_graphs[0].graph_def.library.function[0].node_def.add(name="x", op="WriteFile")
    file.write_bytes(model.SerializeToString())
    write_evaluation(folder, replace(read_evaluation(folder), model=model_digest(folder)))
    seal_model(folder)
    with pytest.raises(BadInputError, match="operation `WriteFile` is not allowed"):
        deploy(folder, golden[1.0], tmp_path / "e", model_name="m", config=CONFIG)


def test_model_that_was_not_blessed_is_refused_with_the_reason(models, golden, tmp_path, supervisor):
    with pytest.raises(RefusedError, match="not blessed: AUC is too low"):
        deploy(models["weak"], golden[1.0], tmp_path / "e", model_name="weak", config=CONFIG)
    assert "weak" not in [one["name"] for one in supervisor.endpoints()]


def test_model_that_was_changed_is_refused_by_file(models, golden, tmp_path):
    folder = shutil.copytree(models["first"], tmp_path / "model")
    (folder / "1" / "extra.bin").write_bytes(b"x")
    config = DeployConfig(target="none")
    with pytest.raises(BadInputError, match=r"does not match its digest.*extra\.bin"):
        deploy(folder, golden[1.0], tmp_path / "e", model_name="m", config=config)


def test_target_none_writes_an_endpoint_without_address(models, golden, tmp_path):
    folder = tmp_path / "endpoint"
    deployed = deploy(
        models["first"], golden[1.0], folder, model_name="m", config=DeployConfig(target="none")
    )
    assert read_endpoint(folder) == deployed
    assert (deployed.url, deployed.revision, deployed.traffic) == (None, None, {})


def test_a_user_is_told_by_an_input_of_texts_or_whole_numbers_alone(models, golden, tmp_path):
    for sticky in ("input:age", "input:nobody"):  # the first is of numbers with a fraction
        config = DeployConfig(target="none", strategy="ab", sticky=sticky)
        with pytest.raises(BadInputError, match=rf"deploy\.sticky.*'{sticky}'.*has: seats, carrier"):
            deploy(models["first"], golden[1.0], tmp_path / "e", model_name="m", config=config)


def test_unset_target_follows_the_environment(monkeypatch):
    monkeypatch.setenv("MILLRACE_SUPERVISOR", "/x")
    assert DeployConfig().chosen_target() == "local"
    monkeypatch.delenv("MILLRACE_SUPERVISOR")
    assert DeployConfig().chosen_target() == "kserve"


def test_target_local_without_a_supervisor_says_what_to_start(models, golden, tmp_path, monkeypatch):
    monkeypatch.delenv("MILLRACE_SUPERVISOR", raising=False)
    with pytest.raises(UnavailableError, match="millrace serve"):
        deploy(models["first"], golden[1.0], tmp_path / "e", model_name="m", config=CONFIG)


@pytest.mark.parametrize("name", ["", "Flights", "a_b", "-a", "a-", "a" * 64, "a/b", "a.b"])
def test_name_that_kubernetes_would_refuse_is_refused(name, golden, tmp_path):
    with pytest.raises(BadInputError, match="not a model name"):
        deploy(Path("none"), golden[1.0], tmp_path / "e", model_name=name, config=CONFIG)

"""Releases through a real supervisor with real model servers."""

import os
import signal
from pathlib import Path

import pytest

from components.common.artifacts import model_digest, read_endpoint
from components.common.errors import BadInputError, RefusedError, UnavailableError
from components.deployment.config import DeployConfig
from components.deployment.deploy import deploy

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
    config = DeployConfig(target="local", timeout_seconds=0.3)
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


def test_model_that_was_not_blessed_is_refused_with_the_reason(models, golden, tmp_path, supervisor):
    with pytest.raises(RefusedError, match="not blessed: AUC is too low"):
        deploy(models["weak"], golden[1.0], tmp_path / "e", model_name="weak", config=CONFIG)
    assert "weak" not in [one["name"] for one in supervisor.endpoints()]


def test_model_that_was_changed_is_refused_by_file(models, golden, tmp_path):
    import shutil

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


@pytest.mark.parametrize("target", ["kserve", "manifest"])
def test_target_of_a_later_version_is_refused_by_name(target, golden, tmp_path):
    with pytest.raises(
        BadInputError, match=f"target `{target}` comes with a later version.*`local` or `none`"
    ):
        deploy(
            Path("none"), golden[1.0], tmp_path / "e", model_name="m", config=DeployConfig(target=target)
        )


def test_unset_target_follows_the_environment(monkeypatch):
    monkeypatch.setenv("MILLRACE_SUPERVISOR", "/x")
    assert DeployConfig().chosen_target() == "local"
    monkeypatch.delenv("MILLRACE_SUPERVISOR")
    with pytest.raises(BadInputError, match=r"`kserve`.*MILLRACE_SUPERVISOR is not set"):
        DeployConfig().chosen_target()


def test_target_local_without_a_supervisor_says_what_to_start(models, golden, tmp_path, monkeypatch):
    monkeypatch.delenv("MILLRACE_SUPERVISOR", raising=False)
    with pytest.raises(UnavailableError, match="millrace serve"):
        deploy(models["first"], golden[1.0], tmp_path / "e", model_name="m", config=CONFIG)


@pytest.mark.parametrize("name", ["", "Flights", "a_b", "-a", "a-", "a" * 64, "a/b", "a.b"])
def test_name_that_kubernetes_would_refuse_is_refused(name, golden, tmp_path):
    with pytest.raises(BadInputError, match="not a model name"):
        deploy(Path("none"), golden[1.0], tmp_path / "e", model_name=name, config=CONFIG)


@pytest.mark.parametrize("wrong", [{"target": "cloud"}, {"timeout_seconds": 0.0}])
def test_impossible_knobs_are_refused_with_their_value(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}.*must hold, but got"):
        DeployConfig(**wrong)

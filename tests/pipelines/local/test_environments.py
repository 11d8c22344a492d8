"""Which environment stands in for an image, and when it counts as another."""

import json

import pytest

from pipelines.local import environments
from pipelines.local.environments import find_environments

IMAGE = "elsewhere/python:3"


@pytest.fixture
def folder(tmp_path):
    """An environment with one package, laid out as pip does it."""
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python3").touch()
    installed = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "mine-1.0.dist-info"
    installed.mkdir(parents=True)
    (tmp_path / "my source" / "mine").mkdir(parents=True)
    (tmp_path / "my source" / "mine" / "code.py").write_text("A = 1\n")
    return tmp_path


def digest(folder):
    return find_environments([IMAGE], {IMAGE: folder / "env"})[IMAGE].digest


@pytest.mark.parametrize("editable", [True, False])
def test_edited_code_of_an_editable_install_makes_another_environment(folder, editable):
    origin = {"url": (folder / "my source").as_uri(), "dir_info": {"editable": editable}}
    (installed,) = folder.glob("env/lib/*/*/*.dist-info")
    (installed / "direct_url.json").write_text(json.dumps(origin))
    before = digest(folder)
    (folder / "my source" / "notes.txt").write_text("no code")
    assert digest(folder) == before
    (folder / "my source" / "mine" / "code.py").write_text("A = 2\n")
    assert (digest(folder) != before) is editable


def test_another_version_makes_another_environment(folder):
    (installed,) = folder.glob("env/lib/*/*/*.dist-info")
    before = digest(folder)
    installed.rename(installed.with_name("mine-1.1.dist-info"))
    assert digest(folder) != before


def test_our_own_editable_install_is_left_to_the_rooms_that_a_command_names(folder, monkeypatch):
    monkeypatch.setattr(environments, "SOURCE_ROOT", folder / "my source")
    origin = {"url": (folder / "my source").as_uri(), "dir_info": {"editable": True}}
    (installed,) = folder.glob("env/lib/*/*/*.dist-info")
    (installed / "direct_url.json").write_text(json.dumps(origin))
    before = digest(folder)
    (folder / "my source" / "mine" / "code.py").write_text("A = 2\n")
    assert digest(folder) == before

"""The verbs that build and push images, as far as they need no engine."""

import pytest

from tests.loopback import Answering, listening
from tools.images import __main__ as verbs
from tools.images import base
from tools.images.build import build_command, groups, write_secrets
from tools.images.engine import StopError, find_engine
from tools.images.lock import read_lock, write_lock
from tools.images.push import push

DIGEST = "sha256:" + "ab" * 32


class Registry(Answering):
    """Knows one tag, as the OCI distribution specification says."""

    def answer(self):
        found = self.path == "/v2/team/python/manifests/3.13-slim"
        self.send(200 if found else 404, headers={"Docker-Content-Digest": DIGEST})


@pytest.fixture
def registry():
    with listening(Registry) as address:
        yield address.removeprefix("http://")


@pytest.fixture
def base_file(tmp_path):
    return tmp_path / "BASE_IMAGE"


def test_base_is_pinned_by_the_digest_of_its_registry(registry, base_file):
    base_file.write_text(f"{registry}/team/python:3.13-slim\n")
    assert base.pin_base(base_file) == f"{registry}/team/python:3.13-slim@{DIGEST}"
    assert base.pin_base(base_file) == base_file.read_text().strip()  # and again, by the tag


def test_base_stays_a_tag_where_the_registry_does_not_know_it(registry, base_file):
    base_file.write_text(f"{registry}/team/python:no-such\n")
    with pytest.raises(StopError, match=r"404.*: the base stays a tag"):
        base.pin_base(base_file)
    assert base_file.read_text() == f"{registry}/team/python:no-such\n"


def test_base_stays_a_tag_where_no_registry_answers(base_file):
    base_file.write_text("127.0.0.1:1/python:3\n")
    with pytest.raises(StopError, match="the base stays a tag"):
        base.pin_base(base_file)
    assert base_file.read_text() == "127.0.0.1:1/python:3\n"


@pytest.mark.parametrize(
    ("tagged", "parts"),
    [
        ("python:3.13-slim", ("registry-1.docker.io", "library/python", "3.13-slim")),
        ("team/python:3", ("registry-1.docker.io", "team/python", "3")),
        ("registry.example/python", ("registry.example", "python", "latest")),
        ("localhost:5000/a/b:1", ("localhost:5000", "a/b", "1")),
    ],
)
def test_a_reference_without_a_registry_is_docker_hubs(tagged, parts):
    assert base._parts(tagged) == parts


def test_index_and_certificates_travel_as_secrets_and_nothing_else_does(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates")
    variables = {
        "PIP_INDEX_URL": "https://user:it's@index.example/simple", "PIP_CERT": str(bundle),
        "PIP_TARGET": "/somewhere", "UV_CACHE_DIR": "/cache", "HOME": "/root",
        "HTTPS_PROXY": "http://proxy:3128",
    }  # fmt: skip
    secrets = write_secrets(tmp_path, variables)
    assert secrets["index"].read_text().splitlines() == [
        "HTTPS_PROXY='http://proxy:3128'",
        "PIP_INDEX_URL='https://user:it'\\''s@index.example/simple'",
        "UV_DEFAULT_INDEX='https://user:it'\\''s@index.example/simple'",
    ]
    assert secrets["certificates"].read_text() == "certificates"
    assert "index.example" not in " ".join(build_command("ingestion", "podman", "base", "tag", secrets))


def test_lock_keeps_the_images_that_were_not_built(tmp_path):
    write_lock(
        {"millrace/b": f"localhost/b@{DIGEST}", "millrace/a": f"r:5000/a@{DIGEST}"}, tmp_path / "lock"
    )
    write_lock({"millrace/b": f"r:5000/b@{DIGEST}"}, tmp_path / "lock")
    assert read_lock(tmp_path / "lock") == {
        "millrace/a": f"r:5000/a@{DIGEST}",
        "millrace/b": f"r:5000/b@{DIGEST}",
    }


def test_what_was_not_built_is_not_pushed():
    here = {"serving": "localhost/millrace/serving:none"}
    with pytest.raises(StopError, match="serving is not built from this commit: run `make images`"):
        push(["serving"], "false", here, "registry.example", "v1")  # an engine that has no image


def test_unknown_group_and_engine_are_refused_by_name(capsys, monkeypatch):
    assert verbs.chosen("") == [name for name in groups() if name != "modelling-gpu"]
    assert verbs.chosen("modelling-gpu") == ["modelling-gpu"]
    with pytest.raises(StopError, match="no image is called modeling: there are deployment, ingestion"):
        verbs.chosen("modeling")
    with pytest.raises(StopError, match="ENGINE=rkt is none of podman"):
        find_engine("rkt")
    monkeypatch.setenv("ENGINE", "rkt")
    assert verbs.main(["build"]) == 2
    assert capsys.readouterr().err == "images: ENGINE=rkt is none of podman, buildah, docker\n"

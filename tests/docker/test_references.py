"""Which images `make images-test` runs: those built here, whatever the lock says of a registry."""

import pytest

from tools.images.build import local_name, references_here
from tools.images.lock import read_lock, write_lock

DIGEST = f"sha256:{'1' * 64}"


@pytest.mark.parametrize(
    "built", [f"localhost/millrace/serving@{DIGEST}", DIGEST], ids=["podman and buildah", "docker"]
)
@pytest.mark.parametrize("registry", ["registry.example/team", "localhost:5000"])
def test_after_a_push_it_is_still_what_was_built(tmp_path, built, registry):
    lock = tmp_path / "images.lock"
    write_lock({"millrace/serving": built, "millrace/ingestion": built}, lock)
    assert references_here(read_lock(lock)) == {"millrace/serving": built, "millrace/ingestion": built}
    write_lock({"millrace/serving": f"{registry}/millrace/serving@{DIGEST}"}, lock)
    assert references_here(read_lock(lock)) == {
        "millrace/serving": local_name("serving"), "millrace/ingestion": built,
    }  # fmt: skip


def test_without_a_lock_there_is_none(tmp_path):
    assert references_here(read_lock(tmp_path / "images.lock")) == {}

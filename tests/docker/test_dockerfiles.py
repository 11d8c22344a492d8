"""The Dockerfiles as text: what every image must have, before any is built."""

import re
import typing

import pytest

from components.common.images import ImageName
from tests.house import ROOT

DOCKERFILES = {
    file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "docker").glob("*.Dockerfile")
}
LABELS = ("title", "description", "licenses", "version", "revision", "base.name")

every_image = pytest.mark.parametrize("name", sorted(DOCKERFILES))


def stages(name: str) -> list[str]:
    """The stages of a Dockerfile, comments left out."""
    lines = [line for line in DOCKERFILES[name].splitlines() if not line.startswith("#")]
    return re.split(r"^FROM ", "\n".join(lines), flags=re.MULTILINE)[1:]


def test_every_image_that_doors_may_name_has_one():
    assert sorted(DOCKERFILES) == sorted(typing.get_args(ImageName))


@every_image
def test_it_has_two_stages_on_the_one_base(name):
    assert [stage.splitlines()[0] for stage in stages(name)] == [
        "${BASE_IMAGE} AS environment",
        "${BASE_IMAGE}",
    ]
    assert re.findall(r"^ARG BASE_IMAGE(.*)$", DOCKERFILES[name], re.MULTILINE) == [
        "",
        "",
    ]  # no value of its own


@every_image
def test_packages_come_from_its_lock_before_any_source(name):
    first = stages(name)[0]
    locks = f"locks/kfp-executor.txt locks/images/{name}.txt /build/"
    assert first.index(locks) < first.index("install.sh /build") < first.index("COPY components")
    assert (ROOT / "locks" / "images" / f"{name}.txt").exists()


@every_image
def test_its_user_is_a_number_and_its_home_is_writable(name):
    last = stages(name)[1]
    assert re.findall(r"^USER (.+)$", last, re.MULTILINE) == ["65532:65532"]
    assert "HOME=/tmp" in last


@every_image
def test_it_says_what_it_is(name):
    for label in LABELS:
        assert f"org.opencontainers.image.{label}=" in stages(name)[1]
    assert f'title="millrace/{name}"' in stages(name)[1]


@every_image
def test_nothing_is_fetched_past_the_lock(name):
    assert not re.search(r"^ADD |https?://|pip install|curl|wget", DOCKERFILES[name], re.MULTILINE)
    assert "apt-get" not in stages(name)[1]


def test_only_what_images_hold_reaches_the_builder():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in lines
    assert [line for line in lines if line.startswith("!")] == [
        "!components",
        "!docker/*.sh",
        "!locks/kfp-executor.txt",
        "!locks/images",
        "!.tools/bin/uv",
    ]


def test_the_base_is_a_tag_or_a_digest_that_a_registry_gave():
    base = (ROOT / "docker" / "BASE_IMAGE").read_text(encoding="utf-8")
    assert re.fullmatch(r"[a-z0-9./-]+:[\w.-]+(@sha256:[0-9a-f]{64})?\n", base)

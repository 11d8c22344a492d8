"""The locks: all that is asked for, hash-pinned, and no address of an index."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import ROOT

LOCKS = {
    "local": ["command-line", "ingestion", "modelling", "deployment", "serving", "development"],
    "validation": ["validation", "validation-tests"],
    "kfp-executor": ["kfp-executor"],
    "uv": ["bootstrap"],
    "go": ["go"],
}
IMAGES = {
    "ingestion": ["ingestion"],
    "deployment": ["deployment"],
    "modelling": ["modelling", "tensorflow-cpu"],
    "modelling-gpu": ["modelling", "tensorflow-gpu"],
    "serving": ["serving"],
    "serving-tensorflow": ["serving", "tensorflow-cpu"],
    "validation": ["validation", "tensorflow-cpu"],
}
EVERY = {**LOCKS, **{f"images/{name}": groups for name, groups in IMAGES.items()}}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)(?: ; ([^\\]+))? \\$", re.MULTILINE)

every_lock = pytest.mark.parametrize("name", EVERY)


def text_of(name: str) -> str:
    return (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")


def pins_of(name: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for package, version, _ in PIN.findall(text_of(name)):
        pins.setdefault(canonicalize_name(package), set()).add(version)
    return pins


def test_every_group_is_locked():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert sorted({group for locked in EVERY.values() for group in locked}) == sorted(groups)


@every_lock
def test_lock_holds_what_its_groups_ask_for(name):
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    pins = pins_of(name)
    on_cpu = "tensorflow-cpu" in EVERY[name]
    for wanted in (Requirement(line) for group in EVERY[name] for line in groups[group]):
        if on_cpu and wanted.name == "tensorflow":
            assert "tensorflow" not in pins
            continue
        newer = wanted.marker is None or wanted.marker.evaluate({"python_version": "3.13"})
        versions = pins.get(canonicalize_name(wanted.name), set())
        found = any(wanted.specifier.contains(version) for version in versions)
        assert found or (name.startswith("images/") and not newer), f"{wanted}: run `make lock`"


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_has_the_versions_of_one_machine(name):
    alike = "validation" if name == "validation" else "local"
    for package, versions in pins_of(f"images/{name}").items():
        if not package.startswith(("tensorflow-cpu", "nvidia-")):
            assert versions <= pins_of(alike)[package], package


@every_lock
def test_every_pin_has_hashes_and_nothing_names_an_index(name):
    text = text_of(name)
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    pins = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert pins
    assert all(lines[number + 1].strip().startswith("--hash=sha256:") for number in pins)
    assert "://" not in text
    assert "index-url" not in text.replace("--no-emit-index-url", "")

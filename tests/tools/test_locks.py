"""The locks: all that is asked for, hash-pinned, and no address of an index."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import ROOT

LOCKS = {
    "local": ["command-line", "ingestion", "modelling", "deployment", "serving", "development"],
    "validation": ["validation"],
    "validation-kfp": ["validation-kfp"],
    "uv": ["bootstrap"],
}
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)(?: ; ([^\\]+))? \\$", re.MULTILINE)

every_lock = pytest.mark.parametrize("name", LOCKS)


def text_of(name: str) -> str:
    return (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")


def test_every_group_is_locked_once():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert sorted(group for locked in LOCKS.values() for group in locked) == sorted(groups)


@every_lock
def test_lock_holds_what_its_groups_ask_for(name):
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    pins: dict[str, list[str]] = {}
    for package, version, _ in PIN.findall(text_of(name)):
        pins.setdefault(canonicalize_name(package), []).append(version)
    for wanted in (Requirement(line) for group in LOCKS[name] for line in groups[group]):
        versions = pins.get(canonicalize_name(wanted.name), [])
        assert any(wanted.specifier.contains(version) for version in versions), f"{wanted}: run `make lock`"


@every_lock
def test_every_pin_has_hashes_and_nothing_names_an_index(name):
    text = text_of(name)
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    pins = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert pins
    assert all(lines[number + 1].strip().startswith("--hash=sha256:") for number in pins)
    assert "://" not in text
    assert "index-url" not in text.replace("--no-emit-index-url", "")

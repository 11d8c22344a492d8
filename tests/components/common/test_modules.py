"""The user's module is known by its content."""

import hashlib
from pathlib import Path

import pytest

from components.common.errors import BadInputError
from components.common.modules import find_module, pin_module


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text("x = 1\n")
    return file


def test_a_pin_names_the_content_and_is_held_to(module: Path):
    pinned = pin_module(str(module))
    assert pinned == f"{module}#sha256={hashlib.sha256(module.read_bytes()).hexdigest()}"
    assert find_module(pinned) == find_module(f"file://{module}") == module
    module.write_text("x = 2\n")
    with pytest.raises(BadInputError, match="module is not the pinned one"):
        find_module(pinned)


def test_a_pin_that_the_user_gave_is_kept_and_held_to(module: Path):
    with pytest.raises(BadInputError, match="module is not the pinned one"):
        pin_module(f"{module}#sha256={'0' * 64}")


@pytest.mark.parametrize("name", ["absent.py", "mine.txt", ""])
def test_what_is_no_python_file_is_refused_by_name(name, tmp_path: Path):
    (tmp_path / "mine.txt").write_text("x = 1\n")
    with pytest.raises(BadInputError, match="no such Python file — parameter `module_uri`"):
        find_module(str(tmp_path / name))

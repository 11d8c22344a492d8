"""Containers as a cluster would run them: any user, a read-only root, no network and no capabilities."""

import os
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.house import ROOT
from tools.images.build import groups, references_here
from tools.images.engine import find_engine, has
from tools.images.lock import read_lock

LOCK = references_here(read_lock())
BUILT = [name for name in groups() if f"millrace/{name}" in LOCK]
RESTRICTED = (
    "--rm", "--read-only", "--mount", "type=tmpfs,destination=/tmp,tmpfs-mode=1777", "--network", "none",
    "--cap-drop", "all", "--security-opt", "no-new-privileges",
)  # fmt: skip


def pytest_generate_tests(metafunc):
    if "built_image" in metafunc.fixturenames:
        metafunc.parametrize("built_image", BUILT)


@pytest.fixture(scope="session")
def engine():
    assert BUILT, "docker/images.lock names no image: run `make images` first"
    found = find_engine(os.environ.get("ENGINE"), runs=True)
    gone = [name for name in BUILT if not has(found, LOCK[f"millrace/{name}"])]
    assert not gone, f"{', '.join(gone)}: not built from this commit: run `make images` first"
    return found


@pytest.fixture(scope="session")
def container(engine):
    """The words that run a command in an image."""

    def words(image: str, *options: str, user: str = "65532:65532") -> list[str]:
        own = [*RESTRICTED, *(["--read-only-tmpfs=false"] if engine == "podman" else [])]  # /var/tmp, too
        return [engine, "run", *own, "--user", user, *options, LOCK[f"millrace/{image}"]]

    return words


@pytest.fixture(scope="session")
def python(container):
    """Runs a program in an image and returns what it printed."""

    def run(image: str, program: str, *options: str, user: str = "65532:65532") -> str:
        command = [*container(image, "--interactive", "--entrypoint", "python3", *options, user=user), "-"]
        done = subprocess.run(command, input=program, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def open_folder(tmp_path_factory):
    """A folder that a container of any user may write into; pytest's own are closed to others."""
    previous = os.umask(0)
    folder = Path("/tmp", f"millrace-{uuid.uuid4().hex}")  # noqa: S108 - nobody can foresee the name
    folder.mkdir()
    yield folder
    os.umask(previous)
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture(scope="module")
def as_environment(container, open_folder):
    """Makes a folder that the runner takes for a virtual environment, and whose shell is one in the image.

    A task's command begins with `sh`. The runner finds it on the environment's PATH: here it is a program
    that hands the very words to the image's own `sh`.
    """

    def make(image: str, shared: Path) -> Path:
        folder = open_folder / "environments" / image
        if folder.exists():
            return folder
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python3").symlink_to("/bin/false")  # what does not begin with `sh` fails
        words = container(image, "--volume", f"{shared}:{shared}", "--entrypoint", "sh")
        script = folder / "bin" / "sh"
        script.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in words) + ' "$@"\n')
        script.chmod(0o755)
        return folder

    return make


@pytest.fixture(scope="session")
def repository():
    return ROOT

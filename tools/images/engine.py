"""The container engine: found, and told what to do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = "localhost"  # where engines keep what comes from no registry
ENGINES = ("podman", "buildah", "docker")


class StopError(Exception):
    """Something that the caller can mend; the message says what."""


def find_engine(wanted: str | None = None, *, runs: bool = False) -> str:
    """Return the engine to use.

    Args:
        wanted: One of `ENGINES`; None or empty takes the first that answers.
        runs: Whether containers are to be run, which buildah leaves to podman (they share their images).

    Raises:
        StopError: There is none.
    """
    if wanted and wanted not in ENGINES:
        raise StopError(f"ENGINE={wanted} is none of {', '.join(ENGINES)}")
    names = [wanted] if wanted else list(ENGINES)
    if runs:
        names = ["podman" if name == "buildah" else name for name in names]
    for name in names:
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    raise StopError(f"no container engine answers ({', '.join(names)}): install podman, or start docker")


def do(command: Sequence[str], what: str) -> None:
    """Execute a command whose output is for people.

    Raises:
        StopError: It fails.
    """
    if status := subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode:
        raise StopError(f"{what} failed: `{command[0]}` ended with {status}")


def ask(command: Sequence[str]) -> str:
    """Execute a command and return what it says.

    Raises:
        StopError: It fails.
    """
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise StopError(f"`{' '.join(command)}` failed: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def has(engine: str, reference: str) -> bool:
    """Tell whether the engine keeps an image."""
    command = [engine, "inspect", "--type", "image", reference]
    return subprocess.run(command, capture_output=True).returncode == 0

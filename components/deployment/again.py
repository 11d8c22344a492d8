"""The command that goes on with a release, as a person types it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from components.deployment.config import DeployConfig
from components.deployment.kserve_config import KServeConfig
from components.deployment.target import Wanted

_PLAIN = re.compile(r"[\w.:/\[\],=-]+")  # what a shell leaves as it is


def release_again(wanted: Wanted, config: DeployConfig) -> str:
    """Return the command that releases a model by the same steps, limits and knobs again."""
    uri = wanted.model_uri
    uri = uri if not uri.startswith("minio://") else f"s3{uri.removeprefix('minio')}"  # KFP's name of S3
    words = ["millrace", "release", shlex.quote(uri), "--name", wanted.name]
    if (target := config.chosen_target()) != "local":
        words += ["--target", target]
    for knob, value in _changed(config):
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        typed = f"{knob}={text}"
        words += ["-p", typed if _PLAIN.fullmatch(typed) else shlex.quote(typed)]
    return f"`{' '.join(words)}`"


def _changed(config: DeployConfig) -> Iterator[tuple[str, Any]]:
    """Yield the knobs that are not as they are by default."""
    usual = DeployConfig()
    yield "steps", list(config.shares)
    for each in fields(config):
        value = getattr(config, each.name)
        if each.name not in ("target", "steps", "kserve") and value != getattr(usual, each.name):
            yield each.name, value
    kserve, usual = config.kserve_config(), KServeConfig()
    for each in fields(kserve):
        if (value := getattr(kserve, each.name)) != getattr(usual, each.name):
            yield f"kserve.{each.name}", value

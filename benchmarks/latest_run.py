"""The newest run of the main job, read from what it left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.common.documents import read_json
from components.common.errors import BadInputError

RUNS = Path("runs/training")


def latest_run(model_name: str = "flights") -> Mapping[str, Any]:
    """Return `run.json` of the newest run that ended well and made a model of this name.

    Raises:
        BadInputError: There is none.
    """
    files = sorted(RUNS.glob("*/run.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for record in map(read_json, files):
        if record["state"] == "SUCCEEDED" and record["parameters"].get("model_name") == model_name:
            return record
    raise BadInputError(f"no run made a model `{model_name}`", where=RUNS, fix="run it first: make run")


def artifact(run: Mapping[str, Any], port: str) -> Path:
    """Return the path of the artifact that some task of a run wrote to a port.

    Raises:
        BadInputError: No task wrote it.
    """
    for ports in run["outputs"].values():
        if isinstance(value := ports.get(port), dict):
            return Path(value["uri"])
    raise BadInputError(f"no task wrote `{port}`", where=run["directory"], fix="run it again: make run")

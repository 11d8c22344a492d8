"""Which old runs can go, what that would free, and removing them."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.common.artifacts import read_evaluation
from components.common.documents import read_json
from components.common.errors import BadInputError, ComponentError
from pipelines.local.claim import no_run
from pipelines.local.history import Run, read_runs
from pipelines.local.serving.state import StateFolder

KEPT_BY_DEFAULT = 10
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A run, a remainder of one, or an entry of the cache that can go.

    Attributes:
        path: Where it is.
        run_id: The run; None for an entry of the cache.
        bytes: What is freed.
    """

    path: Path
    run_id: str | None
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """What can go.

    Attributes:
        items: Runs, the oldest first, then entries of the cache that point to nothing.
        kept: Old runs that stay, by id, with the reason.
    """

    items: tuple[Item, ...]
    kept: Mapping[str, str]

    @property
    def bytes(self) -> int:
        """What is freed in all."""
        return sum(item.bytes for item in self.items)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        items = [{"path": str(one.path), "run_id": one.run_id, "bytes": one.bytes} for one in self.items]
        return {"bytes": self.bytes, "items": items, "kept": dict(self.kept)}


def parse_age(text: str) -> float:
    """Return an age such as `7d`, `12h`, `90m` or `2w` in seconds.

    Raises:
        BadInputError: It is none.
    """
    found = re.fullmatch(r"(\d+)([mhdw])", text)
    if found is None:
        fix = "write a number and m, h, d or w, such as 7d"
        raise BadInputError("not an age", where="option --older-than", value=text, fix=fix)
    return float(int(found[1]) * _UNITS[found[2]])


def plan_cleaning(root: Path, *, keep: int | None = None, older_seconds: float | None = None) -> Cleaning:
    """Tell which runs can go; they go, or stay, whole.

    What stays: what an endpoint uses, a model that this was compared with, and so on back; runs whose
    artifacts a run that stays uses; runs under way.

    Args:
        root: Folder of runs.
        keep: The newest runs of each pipeline that stay; None: 10, and 0 when an age is given.
        older_seconds: Only what ended longer ago goes.

    Raises:
        BadInputError: The root is missing, or what says which models serve cannot be read.
    """
    if not root.is_dir():
        raise BadInputError("no such folder", where=root, fix="give the `--root` of your runs")
    root = root.resolve()
    runs = {run.folder: run for run in read_runs(root)}
    if keep is None:
        keep = KEPT_BY_DEFAULT if older_seconds is None else 0
    old = _old(list(runs.values()), keep, older_seconds)
    kept = _needed(root, runs, old)
    going = sorted((folder for folder in old if folder not in kept), key=lambda one: one.name)
    items = [Item(path=folder, run_id=folder.name, bytes=_size(folder)) for folder in going]
    remains = [Item(path=one, run_id=None, bytes=_size(one)) for one in sorted(root.glob("*/.*.removed-*"))]
    entries = [Item(path=one, run_id=None, bytes=_size(one)) for one in _pointless(root, set(going))]
    reasons = {folder.name: why for folder, why in kept.items()}
    return Cleaning(items=(*items, *remains, *entries), kept=reasons)


def clean(root: Path, *, keep: int | None = None, older_seconds: float | None = None) -> Cleaning:
    """Remove what `plan_cleaning` tells, and return that. Lineage stays.

    Raises:
        BadInputError: As `plan_cleaning`.
        UnavailableError: A run is under way.
    """
    if not root.is_dir():
        return plan_cleaning(root, keep=keep, older_seconds=older_seconds)
    with no_run(root):
        found = plan_cleaning(root, keep=keep, older_seconds=older_seconds)
        for item in reversed(found.items):  # entries first: none must point to what is gone
            _remove(item)
    return found


def _remove(item: Item) -> None:
    if item.path.is_file():
        item.path.unlink()
        return
    hidden = item.path
    if item.run_id is not None:  # a run is there whole, or not at all
        hidden = item.path.with_name(f".{item.path.name}.removed-{uuid.uuid4().hex[:6]}")
        item.path.rename(hidden)
    shutil.rmtree(hidden)


def _old(runs: list[Run], keep: int, older_seconds: float | None) -> set[Path]:
    seen: dict[Path, int] = {}
    found: set[Path] = set()
    for run in runs:  # the newest first
        number = seen[run.folder.parent] = seen.get(run.folder.parent, 0) + 1
        age = time.time() - (run.folder / "run.json").stat().st_mtime
        if number > keep and not run.is_under_way and (older_seconds is None or age > older_seconds):
            found.add(run.folder)
    return found


def _needed(root: Path, runs: Mapping[Path, Run], old: set[Path]) -> dict[Path, str]:
    """Return old runs that must stay, with the reason: served, or used by one that stays, and so on."""
    needed = {folder: why for place, why in _served(root) if (folder := _run_of(place, old)) is not None}
    todo = [*needed, *(folder for folder in runs if folder not in old)]
    while todo:
        user = todo.pop()
        for place in _places(runs[user].record.get("outputs")):
            folder = _run_of(place, old)
            if folder is not None and folder != user and folder not in needed:
                needed[folder] = f"run {user.name} uses results of it"
                todo.append(folder)
    return needed


def _served(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the models that endpoints serve, and those that they were compared with, and so on back."""
    for name, endpoint in StateFolder.of(root).read_state().endpoints.items():
        back = endpoint.get("released", [])[-2:]  # what `millrace rollback` would go back to
        for revision in [*endpoint["revisions"].values(), *back]:
            seen: set[Path] = set()
            model: Path | None = Path(revision["model_uri"]).resolve()
            why = f"endpoint `{name}` serves a model of it"
            while model is not None and model not in seen:
                yield model, why
                seen.add(model)
                model, why = _baseline(model), f"the model of endpoint `{name}` was compared with its model"


def _baseline(model: Path) -> Path | None:
    if not (model / "evaluation.json").exists():
        return None
    baseline = read_evaluation(model).baseline
    return None if baseline is None else Path(str(baseline["uri"]).removeprefix("file://")).resolve()


def _places(value: Any) -> Iterator[Path]:
    """Yield where the artifacts of a run lie, at any depth of its outputs."""
    if isinstance(value, dict):
        if isinstance(value.get("uri"), str) and "digest" in value:
            yield Path(value["uri"]).resolve()
        else:
            for inner in value.values():
                yield from _places(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner)


def _run_of(place: Path, folders: set[Path]) -> Path | None:
    return next((folder for folder in (place, *place.parents) if folder in folders), None)


def _pointless(root: Path, going: set[Path]) -> Iterator[Path]:
    """Yield entries of the cache that point to what is gone or goes."""
    for file in sorted((root / "cache").glob("*.json")):
        try:
            artifacts = read_json(file).get("artifacts", {})
            places = [Path(one["uri"]).resolve() for one in artifacts.values()]
        except (ComponentError, AttributeError, KeyError, TypeError):
            continue  # the cache passes it over, and replaces it
        if any(_run_of(place, going) or not place.exists() for place in places):
            yield file


def _size(path: Path) -> int:
    """Return the bytes of the files at a path."""
    files = (
        [path] if path.is_file() else [Path(at, name) for at, _, names in os.walk(path) for name in names]
    )
    return sum(file.lstat().st_size for file in files)

"""What `millrace init` does: looks at data by a quick run, and writes the parameter file of a real one."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.common.artifacts import Snapshot, read_evaluation, read_snapshot, read_transform
from components.common.config import require_known
from components.common.documents import read_json
from components.common.errors import BadInputError, ComponentError, RefusedError, UnavailableError
from components.common.storage import publishing
from pipelines.build import read_yaml
from pipelines.execution import run_request
from pipelines.local.events import Event
from pipelines.local.result import RunResult
from pipelines.parameter_file import Look, write_parameters
from pipelines.request import Request
from pipelines.room_parameters import DEFAULT_SPLIT, check_room_parameters
from pipelines.summary import artifact_folders

_NAMED = re.compile(r"([A-Za-z_]\w*)=(.+)", re.DOTALL)
_ONE_SOURCE = "data"
_SETTABLE = ("features", "ingestion", "split", "transform", "validation")  # the rest is what is found out
# One quick trial, so that evaluation has something to hold its reference against; it refuses nothing.
_QUICK: Mapping[str, Any] = {
    "trials": 1, "search_space": {"form": "linear", "bins": 0, "epochs": 1}, "deploy": {"target": "none"},
    "thresholds": {"better_than_constant": False, "max_regression": None},
    "split": DEFAULT_SPLIT,  # as the file will have it, so that the first real run reads nothing again
}  # fmt: skip


def read_source_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """Read sources of a command line: `NAME=URI` each, or uris of one table.

    Raises:
        BadInputError: Named and unnamed ones are mixed, or a name comes twice.
    """
    matches = [match for argument in arguments if (match := _NAMED.fullmatch(argument))]
    named = {str(match[1]): str(match[2]) for match in matches}
    if not named:
        return {_ONE_SOURCE: arguments[0] if len(arguments) == 1 else list(arguments)}
    if len(named) < len(arguments):
        fix = "give each source another name, NAME=URI, or give uris of one table and no names"
        raise BadInputError("sources cannot be told apart", where="SOURCES", value=list(arguments), fix=fix)
    return named


def init_parameters(
    sources: Mapping[str, Any],
    label: str,
    out: Path,
    *,
    query: str | None = None,
    settings: Sequence[str] = (),
    root: Path = Path("runs"),
    on_event: Callable[[Event], None] = lambda event: None,
) -> RunResult:
    """Write a parameter file for data, from what the rooms themselves find in a quick run.

    Args:
        sources: By name a uri or a list of uris, as the file shall have them.
        label: The column to be learnt.
        out: The file to write; it must not exist.
        query: SQL over the sources, or None.
        settings: `key=value`, as for a run, of how data are read, divided, checked and transformed; the
            file has them, too.
        root: Folder of runs; the first real run there takes the data and their validation from its cache.
        on_event: Is told each step.

    Returns:
        How the quick run ended.

    Raises:
        BadInputError: The file exists, the label is no column (the nearest is suggested), a setting is of
            another parameter, or the data cannot be read.
        RefusedError: The data gate refuses the data.
        UnavailableError: A source does not answer.
    """
    _refuse_existing(out)
    require_known([re.split("[.=]", one)[0] for one in settings], _SETTABLE, where="option -p")
    parameters = {
        "sources": dict(sources), "label": label, "query": query, "model_name": model_name(label), **_QUICK
    }  # fmt: skip
    given = {name: value for name, value in parameters.items() if value is not None}
    asked = Request(pipeline="training", parameters=given, settings=settings, root=root)
    result = run_request(asked, on_event)
    record = read_json(result.directory / "run.json")
    if result.state != "SUCCEEDED":
        _raise_reason(record, label, result)
    text = write_parameters(_look(record, sources, label, query), out.name)
    check_room_parameters(read_yaml(text))  # what is written here must run
    _refuse_existing(out)
    with publishing(out) as draft:
        draft.write_text(text, encoding="utf-8")
    return result


def model_name(label: str) -> str:
    """Return a name to serve under, a label of RFC 1123, made of a column's name."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower())[:63].strip("-")
    return plain or "model"


def _refuse_existing(out: Path) -> None:
    if os.path.lexists(out):
        raise BadInputError("the file exists already", where=out, fix="name another one: --out FILE")


def _look(record: Mapping[str, Any], sources: Mapping[str, Any], label: str, query: str | None) -> Look:
    folders = artifact_folders(record["outputs"])
    used = {name: record["parameters"].get(name) for name in _SETTABLE if name != "split"}
    evaluation = read_evaluation(folders["evaluation"])
    return Look(
        sources=sources, label=label, query=query, model_name=model_name(label),
        snapshot=read_snapshot(folders["snapshot"]), transform=read_transform(folders["transform_graph"]),
        comparisons=evaluation.comparisons, given={name: value for name, value in used.items() if value},
    )  # fmt: skip


def _raise_reason(record: Mapping[str, Any], label: str, result: RunResult) -> None:
    columns = _columns(record)
    if columns and label not in columns:
        near = difflib.get_close_matches(label, columns, n=1)
        fix = f"did you mean `{near[0]}`?" if near else f"the columns are {', '.join(columns)}"
        raise BadInputError("no such column", where="option --label", value=label, fix=fix)
    kinds: Mapping[int, type[ComponentError]] = {3: RefusedError, 4: UnavailableError}
    if result.exit_code == 130:
        raise KeyboardInterrupt
    kind = kinds.get(result.exit_code, BadInputError)
    answer = "; to set what is named there: -p KEY=VALUE" if kind is RefusedError else ""
    raise kind(str(result.error), fix=f"see {result.directory / 'report.html'}{answer}")


def _columns(record: Mapping[str, Any]) -> list[str]:
    """Return the columns that were read; none when reading failed."""
    folder = artifact_folders(record["outputs"]).get("snapshot")
    if folder is None:
        return []
    snapshot: Snapshot = read_snapshot(folder)
    return list(snapshot.columns)

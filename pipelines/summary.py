"""What a person wants to know after a training run, read from the artifacts that the run left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from components.common.artifacts import (
    Endpoint,
    Evaluation,
    Snapshot,
    Verdict,
    read_endpoint,
    read_evaluation,
    read_model_record,
    read_signature,
    read_snapshot,
    read_verdict,
    twin_obstacle,
)
from components.common.documents import read_json
from components.common.errors import ComponentError
from components.common.golden import read_golden_requests

_MOST_METRICS = 4  # the primary one is first; all of them are in the report


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The parts of a run that exist; a run that ended early has fewer.

    Attributes:
        lines: (name, text) pairs in the order of the flow.
        reports: HTML pages by name: that of the task, with the port when it is not `report`, and a number
            inside a loop.
        curl: A command that asks the endpoint one golden request, or None.
    """

    lines: list[tuple[str, str]]
    reports: dict[str, Path]
    curl: str | None


def summarise(outputs: Mapping[str, Mapping[str, Any]]) -> Summary:
    """Summarise the outputs of a run of `training`.

    Args:
        outputs: Output values by task and port; an artifact is a mapping with a `uri`.

    Returns:
        The summary. Artifacts of other pipelines, and malformed ones, are passed over.
    """
    folders = artifact_folders(outputs)
    writers = {
        "snapshot": _data_lines, "transform_graph": _task_lines, "anomalies": _data_gate_lines,
        "best_model": _trial_lines, "evaluation": _evaluation_lines, "endpoint": _endpoint_lines,
    }  # fmt: skip
    lines: list[tuple[str, str]] = []
    for port, write in writers.items():
        try:
            lines += write(folders[port]) if port in folders else []
        except ComponentError:  # the run says what was wrong; a summary must not hide it behind its own
            continue
    return Summary(lines=lines, reports=dict(_pages(outputs)), curl=_curl(folders))


def artifact_folders(outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Path]:
    """Return where the artifacts of a run are, by port; of equal ports the last one, none of a loop's."""
    return {
        port: Path(value["uri"])
        for ports in outputs.values()
        for port, value in ports.items()
        if _is_artifact(value)
    }


def _pages(outputs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Path]]:
    for task, ports in outputs.items():
        for port, value in ports.items():
            name = task if port == "report" else f"{task}-{port}"
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                if _is_artifact(one) and (port == "report" or one.get("type") == "system.HTML"):
                    yield (f"{name}-{number}" if isinstance(value, list) else name), Path(one["uri"])


def _is_artifact(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("uri"), str)


def _data_lines(folder: Path) -> list[tuple[str, str]]:
    snapshot: Snapshot = read_snapshot(folder)
    rows = ", ".join(f"{split} {count:,}" for split, count in snapshot.rows.items())
    return [("data", f"{sum(snapshot.rows.values()):,} rows ({rows}), version {snapshot.version[:12]}")]


def _task_lines(folder: Path) -> list[tuple[str, str]]:
    summary = read_json(folder / "transform.json")
    features, dropped = summary["features"], summary["dropped"]
    left_out = f", left out: {', '.join(dropped)}" if dropped else ""
    return [("task", f"{summary['task']} on `{summary['label']}`, {len(features)} features{left_out}")]


def _data_gate_lines(folder: Path) -> list[tuple[str, str]]:
    return [("data gate", _verdict_text(read_verdict(folder)))]


def _verdict_text(verdict: Verdict) -> str:
    first = f": {verdict.reasons[0]}" if verdict.reasons and not verdict.passed else ""
    return f"{verdict.outcome}{first}"


def _trial_lines(folder: Path) -> list[tuple[str, str]]:
    record = read_model_record(folder)
    chosen = ", ".join(f"{name} {_plain(value)}" for name, value in record.hyperparameters.items())
    return [("best trial", f"{record.trial} ({chosen})")]


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _evaluation_lines(folder: Path) -> list[tuple[str, str]]:
    evaluation: Evaluation = read_evaluation(folder)
    obstacle = twin_obstacle(folder)
    metrics = "; ".join(
        f"{name} {interval_text(metric)}"
        for name, metric in islice(evaluation.metrics.items(), _MOST_METRICS)
    )
    return [
        ("test", f"{metrics}, {evaluation.rows:,} rows"),
        ("model gate", _verdict_text(read_verdict(folder))),
        ("twin", f"none, TensorFlow serves: {obstacle}" if obstacle else "proven"),
    ]


def interval_text(metric: Mapping[str, float]) -> str:
    """Return a metric with its 95 % interval: four decimals, and none of what is in the thousands."""
    places = ",.0f" if abs(metric["value"]) >= 1_000 else ".4f"
    return "{value:{p}} [{low:{p}}, {high:{p}}]".format(p=places, **metric)


def _endpoint_lines(folder: Path) -> list[tuple[str, str]]:
    endpoint: Endpoint = read_endpoint(folder)
    if endpoint.url is None:
        return [("endpoint", f"none: target is `{endpoint.target}`")]
    served = f"{endpoint.target}, revision {endpoint.revision}, engine {endpoint.engine}"
    asked = f"{endpoint.golden_requests} golden requests answered equally"
    return [("endpoint", f"{endpoint.url} ({served}, {asked})")]


def _curl(folders: Mapping[str, Path]) -> str | None:
    try:
        endpoint = read_endpoint(folders["endpoint"])
        row = read_golden_requests(folders["golden_requests"])[0]["inputs"]
        datatypes = {
            entry["name"]: entry["datatype"] for entry in read_signature(folders["evaluated_model"]).inputs
        }
    except (KeyError, ComponentError):
        return None
    if endpoint.url is None:
        return None
    tensors = [
        {"name": name, "datatype": datatypes[name], "shape": [1], "data": [value]}
        for name, value in row.items()
        if value is not None
    ]
    body = json.dumps({"inputs": tensors}, ensure_ascii=False).replace("'", "'\\''")
    return f"curl -s {endpoint.url} -H 'Content-Type: application/json' -d '{body}'"

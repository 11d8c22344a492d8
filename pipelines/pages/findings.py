"""What a training run found, read from its artifacts for its page: metrics, trials, card, origin, call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from markdown_it import MarkdownIt

from components.common.artifacts import (
    Evaluation,
    read_endpoint,
    read_evaluation,
    read_model_record,
    read_signature,
    read_snapshot,
)
from components.common.documents import read_json
from components.common.errors import ComponentError
from components.common.golden import read_golden_requests
from pipelines.pages.layout import Drawing, Node, lay_out

_MOST_TRIALS = 50
_MOST_SOURCES = 4

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric on the test split.

    Attributes:
        name: Its name.
        value: With `low` and `high`, the ends of its 95 % interval.
        others: The same metric of others on the same rows, by who they are; None where they have none.
    """

    name: str
    value: float
    low: float
    high: float
    others: dict[str, float | None]


def read_or_none(read: Callable[[Mapping[str, Path]], Found], folders: Mapping[str, Path]) -> Found | None:
    """Read a part of the page; None when the run has no such artifact, or a malformed one.

    The run itself says what was wrong with it; a page must not hide that behind a fault of its own.
    """
    try:
        return read(folders)
    except (ComponentError, KeyError, IndexError, TypeError, ValueError, OSError):
        return None


def read_metrics(folders: Mapping[str, Path]) -> list[Metric]:
    """Return the metrics of the judged model, the primary one first."""
    evaluation: Evaluation = read_evaluation(folders["evaluation"])
    others = {
        "the model before": (evaluation.baseline or {}).get("metrics") or {},
        **{name: compared.get("metrics") or {} for name, compared in evaluation.comparisons.items()},
    }
    known = {name: metrics for name, metrics in others.items() if metrics}
    return [
        Metric(
            name=name, value=one["value"], low=one["low"], high=one["high"],
            others={who: metrics.get(name, {}).get("value") for who, metrics in known.items()},
        )
        for name, one in evaluation.metrics.items()
    ]  # fmt: skip


def read_leaderboard(folders: Mapping[str, Path]) -> dict[str, Any]:
    """Return `{objective, direction, rows, varied, more, reference}`.

    Best trials first; `varied` is what differs in them, `reference` what the reference reached, or None.
    """
    board = read_json(folders["leaderboard"] / "leaderboard.json")
    rows = [dict(row) for row in board["rows"]]
    points = [row.get("hyperparameters") or {} for row in rows]
    names = dict.fromkeys(name for point in points for name in point)
    varied = [name for name in names if len({json.dumps(point.get(name)) for point in points}) > 1]
    values = [(row.get("metrics") or {}).get(board["objective"]) for row in rows]
    return {
        "objective": board["objective"], "direction": board["direction"], "varied": varied,
        "rows": [
            {**row, "value": value, "point": point}
            for row, value, point in zip(rows, values, points, strict=True)
        ][:_MOST_TRIALS],
        "more": max(0, len(rows) - _MOST_TRIALS),
        "reference": (board.get("reference") or {}).get(board["objective"]),
    }  # fmt: skip


def read_card(folders: Mapping[str, Path]) -> str:
    """Return the model card that evaluation wrote, as HTML without links, pictures or foreign markup."""
    text = (folders["evaluated_model"] / "model_card.md").read_text(encoding="utf-8")
    plain = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    page = plain.render(text.partition("\n")[2])  # its title is the section's
    page = (
        page.replace("h2>", "h3>")
        .replace("<table>", '<div class="wide"><table>')
        .replace("</table>", "</table></div>")
    )
    return page


def draw_lineage(folders: Mapping[str, Path]) -> Drawing | None:
    """Draw what the model was made from, each with the beginning of its sha256."""
    record = read_or_none(lambda found: read_model_record(found["best_model"]), folders)
    endpoint = read_or_none(lambda found: read_endpoint(found["endpoint"]), folders)
    nodes, edges = _source_nodes(folders)
    made = {} if record is None else record.digests
    steps = [
        ("schema", "snapshot"),
        ("transform_graph", "schema"),
        ("transformed_examples", "transform_graph"),
    ]
    for name, origin in steps:
        if name in made:
            nodes.append(Node(name=name, title=name.replace("_", " "), note=made[name][:12]))
            edges.append((origin, name))
    judged = read_or_none(lambda found: read_evaluation(found["evaluation"]), folders)
    if record is not None:
        note = judged.model[:12] if judged else f"trial {record.trial}"
        nodes.append(Node(name="model", title=f"model, trial {record.trial}", note=note))
        edges.append(("transformed_examples", "model"))
    if judged is not None:
        title, tone = ("blessed", "good") if judged.passed else ("not blessed", "warn")
        nodes.append(Node(name="judged", title=title, note=f"{judged.rows:,} test rows", tone=tone))
        edges.append(("model", "judged"))
    if endpoint is not None and endpoint.url:
        title = f"endpoint {endpoint.name}"
        nodes.append(Node(name="endpoint", title=title, note=f"revision {endpoint.revision}", tone="good"))
        edges.append(("judged", "endpoint"))
    return lay_out(nodes, edges)


def _source_nodes(folders: Mapping[str, Path]) -> tuple[list[Node], list[tuple[str, str]]]:
    snapshot = read_or_none(lambda found: read_snapshot(found["snapshot"]), folders)
    if snapshot is None:
        return [], []
    sources = list(snapshot.sources.items())
    nodes = [
        Node(name=f"source {name}", title=name, note=_files(files))
        for name, files in sources[:_MOST_SOURCES]
    ]
    if len(sources) > _MOST_SOURCES:
        more = f"{len(sources) - _MOST_SOURCES} more sources"
        nodes[-1] = Node(name=nodes[-1].name, title=f"{nodes[-1].title} and others", note=more)
    edges = [(node.name, "snapshot") for node in nodes]
    return [*nodes, Node(name="snapshot", title="snapshot", note=snapshot.version[:12])], edges


def _files(files: Sequence[Mapping[str, Any]]) -> str:
    return str(files[0]["sha256"])[:12] if len(files) == 1 else f"{len(files)} files"


def read_inputs(folders: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return what the model takes: `{name, kind, datatype, optional, example}` each."""
    return read_signature(folders["evaluated_model"]).inputs


def python_call(folders: Mapping[str, Path]) -> str:
    """Return lines of Python, standard library alone, that ask the endpoint one golden request."""
    endpoint = read_endpoint(folders["endpoint"])
    if endpoint.url is None:
        raise KeyError("url")
    row = read_golden_requests(folders["golden_requests"])[0]["inputs"]
    kinds = {
        entry["name"]: entry["datatype"] for entry in read_signature(folders["evaluated_model"]).inputs
    }
    return "\n".join(
        [
            "import json, urllib.request",
            "",
            f"row = {row!r}",
            f"types = {kinds!r}",
            'inputs = [{"name": name, "datatype": types[name], "shape": [1], "data": [value]}',
            "          for name, value in row.items() if value is not None]",
            f"request = urllib.request.Request({endpoint.url!r},",
            '    json.dumps({"inputs": inputs}).encode(), {"Content-Type": "application/json"})',
            'print(json.load(urllib.request.urlopen(request))["outputs"])',
        ]
    )

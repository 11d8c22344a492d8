"""Tables and trees for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

_COLOURS = {
    "SUCCEEDED": "green",
    "RUNNING": "cyan",
    "REFUSED": "yellow",
    "CANCELLED": "yellow",
    "FAILED": "red",
}


def state_text(state: str) -> Text:
    """Return a run's state in its colour."""
    return Text(state, style=_COLOURS.get(state, "red"))


def run_table(runs: Sequence[Mapping[str, Any]]) -> Table | str:
    """Return a table of run records, or a line that says what to do when there are none."""
    if not runs:
        return "no runs here yet: `millrace run training --help` tells how to start one"
    table = _table("RUN", "PIPELINE", "STATE", "SECONDS", "WHY")
    for run in runs:
        seconds = run.get("seconds")
        table.add_row(
            str(run.get("run_id")),
            str(run.get("pipeline")),
            state_text(str(run.get("state"))),
            "" if seconds is None else f"{seconds:.1f}",
            str(run.get("error") or ""),
        )
    return table


def endpoint_table(endpoints: Sequence[Mapping[str, Any]]) -> Table | str:
    """Return a table of endpoints, or a line that says that none answers."""
    if not endpoints:
        return "no model is being served"
    table = _table("NAME", "REVISION", "MODEL DIGEST", "URL")
    for endpoint in endpoints:
        digest = str(endpoint.get("model_digest") or "")[:12]
        table.add_row(endpoint["name"], str(endpoint.get("revision") or "-"), digest, endpoint["url"])
    return table


def lineage_tree(node: Mapping[str, Any], root: Path) -> Tree:
    """Return a tree of what something was made from; what stands there already is named, not repeated.

    Args:
        node: What `LineageNode.as_dict` gave.
        root: Folder of runs; paths below it are shown relative to it.
    """
    tree = Tree(_node_text(node, root))
    _grow(tree, node, root)
    return tree


def _grow(tree: Tree, node: Mapping[str, Any], root: Path) -> None:
    for origin in node.get("made_from", []):
        _grow(tree.add(_node_text(origin, root)), origin, root)


def _node_text(node: Mapping[str, Any], root: Path) -> Text:
    text = Text(str(node["name"]), style="bold")
    if "sha256" in node:
        text.append(f"  {node['sha256'][:12]}", style="cyan")
    if task := node.get("task"):
        text.append(f"  {task}", style="default")
    if node.get("repeated"):
        return text.append("  (see above)", style="dim")
    return text.append("  " + str(node.get("uri", "")).removeprefix(f"{root.absolute()}/"), style="dim")


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "WHY", overflow="ellipsis")
    return table

"""Tables and trees of runs, endpoints and lineage for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pipelines.local.clean import Cleaning

_COLOURS = {
    "SUCCEEDED": "green",
    "RUNNING": "cyan",
    "REFUSED": "yellow",
    "CANCELLED": "yellow",
    "FAILED": "red",
    "SKIPPED": "dim",
}


def state_text(state: str) -> Text:
    """Return a run's state in its colour."""
    return Text(state, style=_COLOURS.get(state, "red"))


def run_table(runs: Sequence[Mapping[str, Any]]) -> Table | str:
    """Return a table of run records, or a line that says what to do when there are none."""
    if not runs:
        return "no runs here yet: `millrace run training --help` tells how to start one"
    table = plain_table("RUN", "PIPELINE", "STATE", "SECONDS", "WHY")
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
    table = plain_table("NAME", "REVISION", "ENGINE", "STATE", "URL")
    for endpoint in endpoints:
        weighted = {name: share for name, share in (endpoint.get("weights") or {}).items() if share < 100}
        shares = ", ".join(f"{name} {share} %" for name, share in weighted.items())
        state = f"released by {endpoint['holder']}" if endpoint.get("holder") else endpoint.get("state")
        revision = shares or str(endpoint.get("revision") or "-")
        engines = {each["engine"] for each in endpoint.get("revisions") or () if each["weight"]}
        engine = ", ".join(sorted(engines)) or "-"
        table.add_row(endpoint["name"], revision, engine, str(state or "-"), endpoint["url"])
    return table


def experiment_table(found: Mapping[str, Any]) -> Group:
    """Return what an A/B test showed: a row for each revision, and the difference."""
    table = plain_table("REVISION", "USERS", "MEAN")
    for revision, users, mean in zip(
        (found["new"], found["old"]), found["users"], found["means"], strict=True
    ):
        table.add_row(revision, str(users), f"{mean:.6g}")
    low, high = found["interval"]
    told = f"{found['difference']:+.6g}, with {found['level']:.0%} in {low:+.6g} to {high:+.6g}"
    return Group(table, Text(f"difference {told}: {found['verdict']}"))


def lineage_tree(node: Mapping[str, Any], root: Path) -> Tree:
    """Return a tree of what something was made from, or led to; what stands above is not repeated.

    Args:
        node: What `LineageNode.as_dict` gave.
        root: Folder of runs; paths below it are shown relative to it.
    """
    tree = Tree(_node_text(node, root))
    _grow(tree, node, root)
    return tree


def cleaning_table(found: Cleaning, *, removed: bool) -> Group:
    """Return what can go or has gone, what stays although it is old, and the bytes in all.

    Args:
        found: What was planned or done.
        removed: It was done.
    """
    table = plain_table("RUN", "FREES", "WHY")
    for item in found.items:
        if item.run_id is not None:
            table.add_row(item.run_id, size_text(item.bytes))
    for run_id, why in found.kept.items():
        table.add_row(run_id, Text("stays", style="yellow"), why)
    rest = [item for item in found.items if item.run_id is None]
    if rest:
        table.add_row("remainders, cache", size_text(sum(item.bytes for item in rest)))
    freed = f"{size_text(found.bytes)} {'freed' if removed else 'would be freed'}"
    hint = "" if removed or not found.items else "; `--yes` removes it"
    return Group(*([table] if table.row_count else []), Text(f"{freed}{hint}", style="bold"))


def size_text(count: float) -> str:
    """Return a number of bytes in words, such as `1.2 MB` (a million and two hundred thousand)."""
    for unit in ("B", "kB", "MB"):
        if count < 1_000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1_000
    return f"{count:.1f} GB"


def _grow(tree: Tree, node: Mapping[str, Any], root: Path) -> None:
    for origin in [*node.get("made_from", []), *node.get("led_to", [])]:
        _grow(tree.add(_node_text(origin, root)), origin, root)


def _node_text(node: Mapping[str, Any], root: Path) -> Text:
    text = Text(str(node["name"]), style="bold")
    if "sha256" in node:
        text.append(f"  {node['sha256'][:12]}", style="cyan")
    if task := node.get("task"):
        text.append(f"  {task}", style="default")
    if url := node.get("url"):
        text.append(f"  {url}", style="green")
    if node.get("repeated"):
        return text.append("  (see above)", style="dim")
    return text.append("  " + str(node.get("uri", "")).removeprefix(f"{root.absolute()}/"), style="dim")


def plain_table(*headings: str) -> Table:
    """Return a table without lines, whose cells are never wrapped; only `WHY` is."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "WHY", overflow="ellipsis")
    return table

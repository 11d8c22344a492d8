"""Lineage without ML Metadata: what a run's results were made from, as its package and KFP's API say.

KFP's line after 2.18 has no ML Metadata. The API of 2.17 names no artifacts, so here they have neither uri
nor digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from components.common.errors import BadInputError
from pipelines.local.lineage_query import LineageNode
from pipelines.local.plan import FromInput, FromTask, Graph, Group, Loop, Task
from pipelines.remote.runs import RemoteRun


def trace_planned(run: RemoteRun) -> LineageNode:
    """Return a run with the results of its tasks that ended well, and what they were made from.

    Raises:
        BadInputError: Its package is of a form that is not known here.
    """
    plan = run.package.plan
    if plan is None:
        raise BadInputError("its package is of a form that is not known here", where=f"run {run.run_id}")
    done = {node.place.task.label for node in run.nodes if node.state == "SUCCEEDED"}
    defaults = {name: spec.default for name, spec in plan.inputs.items()}
    told = declared_uris({**defaults, **run.parameters}.get("sources"))
    files = tuple(LineageNode(kind="source", name=name, uri=uri) for name, uri in told)
    trace = _Trace(run_id=run.run_id, done=done, files=files)
    return LineageNode(kind="run", name=run.run_id, made_from=tuple(trace.results(plan.graph)))


@dataclass(frozen=True, eq=False)
class _Scope:
    """A graph and the task that it is the body of, in the graph around it."""

    graph: Graph
    task: Task | None = None
    outer: _Scope | None = None

    def leaves(self) -> Iterator[_Leaf]:
        """Yield the tasks that are no graphs themselves, in the order of the flow."""
        for task in self.graph.tasks.values():
            if isinstance(task.work, (Group, Loop)):
                yield from _Scope(task.work.body, task, self).leaves()
            else:
                yield _Leaf(self, task)

    def producers(self, source: FromInput | FromTask) -> Iterator[tuple[_Leaf, str]]:
        """Yield the tasks, and their ports, that an artifact comes from."""
        if isinstance(source, FromInput):
            if self.outer is not None and self.task is not None and source.name in self.task.artifacts:
                yield from self.outer.producers(self.task.artifacts[source.name])
            return
        task = self.graph.tasks[source.task]
        if not isinstance(task.work, (Group, Loop)):
            yield _Leaf(self, task), source.port
            return
        inside = _Scope(task.work.body, task, self)
        for given in task.work.body.outputs.get(source.port, ()):
            yield from inside.producers(given)


@dataclass(frozen=True, eq=False)
class _Leaf:
    scope: _Scope
    task: Task

    def inputs(self) -> Iterator[tuple[_Leaf, str]]:
        """Yield the tasks, and their ports, that the artifacts which it takes come from."""
        for source in self.task.artifacts.values():
            yield from self.scope.producers(source)


@dataclass(kw_only=True)
class _Trace:
    run_id: str
    done: set[str]
    files: tuple[LineageNode, ...]
    seen: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def results(self, graph: Graph) -> Iterator[LineageNode]:
        """Yield the artifacts that no other task took, the last first."""
        leaves = [leaf for leaf in _Scope(graph).leaves() if leaf.task.label in self.done]
        taken = {(made.task.label, port) for leaf in leaves for made, port in leaf.inputs()}
        for leaf in reversed(leaves):
            for port in leaf.task.outputs.artifacts:
                if (leaf.task.label, port) not in taken:
                    yield self.node(leaf, port)

    def node(self, leaf: _Leaf, port: str) -> LineageNode:
        """Return an artifact, continued where it stands first."""
        key = (leaf.task.label, port)
        repeated = key in self.seen
        self.seen.add(key)
        made_from = () if repeated else tuple(self._made_from(leaf))
        return LineageNode(
            kind="artifact", name=port, type=leaf.task.outputs.artifacts[port].title, run_id=self.run_id,
            task=leaf.task.label, repeated=repeated, made_from=made_from,
        )  # fmt: skip

    def _made_from(self, leaf: _Leaf) -> Iterator[LineageNode]:
        inputs = {(made.task.label, port): (made, port) for made, port in leaf.inputs()}
        for made, port in inputs.values():
            yield self.node(made, port)
        if "snapshot" in leaf.task.outputs.artifacts:
            yield from self.files


def declared_uris(sources: Any) -> Iterator[tuple[str, str]]:
    """Yield what a run of ours was told to read, with the name of each source.

    How many files that are, and what they hold, nobody says.
    """
    for name, source in sources.items() if isinstance(sources, dict) else ():
        uri = source.get("uri") if isinstance(source, dict) else source
        for one in uri if isinstance(uri, list) else [uri]:
            if isinstance(one, str):
                yield name, one

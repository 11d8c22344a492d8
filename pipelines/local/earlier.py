"""What an earlier process recorded of a run in ML Metadata: it is gone on with, and not told twice.

As KFP's own Retry does, which keeps the executions that the drivers made: an execution is known by the
graph that it is in, its task and its iteration, and there is one of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.store import Store, protos

Key = tuple[int, int | None, str, int | None]  # type, graph, task, iteration
Ports = frozenset[tuple[str, int]]  # which artifact a port took


@dataclass(frozen=True, kw_only=True)
class _Recorded:
    execution: Any
    inputs: Ports
    outputs: Ports

    @property
    def ended_well(self) -> bool:
        good = protos().Execution
        return self.execution.last_known_state in (good.COMPLETE, good.CACHED)


@dataclass
class Earlier:
    """The executions that are there of a run; none of a new one."""

    _found: dict[Key, _Recorded] = field(default_factory=dict[Key, _Recorded])

    @classmethod
    def read(cls, store: Store, context: int) -> Earlier:
        """Read the executions of a run's context, and record as failed those whose process is gone."""
        pb = protos()
        executions = sorted(store.call("get_executions_by_context", context), key=lambda one: one.id)
        if not executions:
            return cls()
        left = [one for one in executions if one.last_known_state == pb.Execution.RUNNING]
        for one in left:
            one.last_known_state = pb.Execution.FAILED
        if left:
            store.call("put_executions", left)
        events = store.call("get_events_by_execution_ids", [one.id for one in executions])
        found = {
            key_of(one): _Recorded(
                execution=one,
                inputs=_ports(events, one.id, (pb.Event.INPUT, pb.Event.DECLARED_INPUT)),
                outputs=_ports(events, one.id, (pb.Event.OUTPUT, pb.Event.DECLARED_OUTPUT)),
            )
            for one in executions  # of two the later one
        }
        return cls(found)

    def take_up(self, record: Any, inputs: Iterable[tuple[str, int]], *, is_graph: bool) -> int | None:
        """Return the id of the execution that a new record is to go on with, or None.

        A task that ended well is executed again only because its result is lost: that is another execution.

        Args:
            record: The new record.
            inputs: Ports and ids of the artifacts that it takes.
            is_graph: It is a graph, which is gone through again also when it ended well.
        """
        known = self._found.get(key_of(record))
        if known is None or known.inputs != frozenset(inputs) or (known.ended_well and not is_graph):
            return None
        return known.execution.id

    def ended_well(self, key: Key, ports: Iterable[str]) -> dict[str, int] | None:
        """Return the ids of a task's output artifacts when it is recorded that it gave these ports."""
        known = self._found.get(key)
        if known is None or not known.ended_well:
            return None
        ids = dict(known.outputs)
        return ids if set(ids) == set(ports) else None


def key_of(record: Any) -> Key:
    """Return what an execution is known by inside its run."""
    said = record.custom_properties
    parent = said["parent_dag_id"].int_value if "parent_dag_id" in said else None
    index = said["iteration_index"].int_value if "iteration_index" in said else None
    name = said["task_name"].string_value if "task_name" in said else ""  # asking would make the entry
    return record.type_id, parent, name, index


def _ports(events: Iterable[Any], execution: int, kinds: tuple[int, ...]) -> Ports:
    mine = (one for one in events if one.execution_id == execution and one.type in kinds)
    return frozenset((one.path.steps[0].key, one.artifact_id) for one in mine)

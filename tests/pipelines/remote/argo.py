"""The nodes that an Argo workflow made by KFP 2.17 has, told as its API tells them.

Read in kubeflow/pipelines 2.17.0: `argocompiler/dag.go` and `container.go` (names and templates),
`common/util/workflow.go` (`NodeStatuses`, names of pods), `apiserver/server/api_converter.go` (what is left
out: a task's own node and pod). `test_nodes.py` holds the names against pods that were seen on clusters.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from typing import Any

from pipelines.local.plan import Graph, Group, Loop, Plan

BEGIN = 1_800_000_000
NEVER = "0001-01-01T00:00:00Z"  # what Go makes of a time that was never set


def identity(workflow: str, path: str) -> str:
    number = reduce(lambda sofar, byte: (sofar ^ byte) * 16777619 % 2**32, path.encode(), 2166136261)
    return f"{workflow}-{number}"


def when(second: int | None) -> str:
    return (
        NEVER
        if second is None
        else datetime.fromtimestamp(BEGIN + second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


class Workflow:
    """The nodes of one run, from the states of its tasks.

    Attributes:
        details: `task_details` of the API.
        pods: Name of the pod by label; `<label>/driver` for the step before.
    """

    def __init__(
        self, name: str, plan: Plan, tasks: dict[str, tuple[Any, ...]], metadata: str = ""
    ) -> None:
        """Make the nodes.

        Args:
            name: Of the workflow.
            plan: What it executes.
            tasks: By label `(state, begun, ended)`, seconds since the run began; `cached` and
                `driver failed` are states, too; a number of attempts may follow.
            metadata: Prefix of the templates of packages with labels.
        """
        self.name, self.details, self.pods = name, [], {}
        self._tasks, self._metadata = tasks, metadata
        self._node(name, name, "RUNNING", 0, None, [f"{name}.root-driver"])
        self._node(f"{name}.root-driver", "root-driver", "SUCCEEDED", 0, 5, [f"{name}.root"])
        first = [f"{name}.root.{task}-driver" for task in plan.graph.tasks]
        self._node(f"{name}.root", "root", "RUNNING", 5, None, first)
        self._graph(plan.graph, f"{name}.root", ())

    def _graph(self, graph: Graph, path: str, iteration: tuple[int, ...]) -> None:
        for task in graph.tasks.values():
            inside = f"{path}.{task.name}"
            if isinstance(task.work, Loop):
                later = list(graph.tasks.values())[list(graph.tasks).index(task.name) + 1 :]
                ended = 50 if any(one.label in self._tasks for one in later) else None
                self._loop(task.work, inside, task.name, iteration, ended)
            elif isinstance(task.work, Group):
                self._graph(task.work.body, inside, iteration)
            else:
                self._task(task, inside, "-".join([task.label, *map(str, iteration)]))

    def _loop(
        self, loop: Loop, path: str, name: str, iteration: tuple[int, ...], ended: int | None
    ) -> None:
        state = "RUNNING" if ended is None else "SUCCEEDED"
        self._node(path, name, state, 5, ended, [f"{path}.iteration-driver"])
        for index in range(9):
            item = f"{path}.iteration-iterations({index}:{index})"
            before = len(self.details)
            self._graph(loop.body, f"{item}.iteration-item", (*iteration, index))
            if len(self.details) > before:
                named = f"iteration-iterations({index}:{index})"
                self._node(item, named, "RUNNING", 5, None, [f"{item}.iteration-item-driver"])
                self._node(f"{item}.iteration-item", "iteration-item", "RUNNING", 5, None, [])

    def _task(self, task: Any, path: str, label: str) -> None:
        if label not in self._tasks:
            return
        state, begun, ended, *more = self._tasks[label]
        driver = "FAILED" if state == "driver failed" else "SUCCEEDED"
        self._pod(f"{label}/driver", "system-container-driver", f"{path}-driver")
        below = [path] if driver == "SUCCEEDED" else []
        self._node(f"{path}-driver", f"{task.name}-driver", driver, begun, begun, below)
        if not below:
            return
        self._node(path, task.name, _done(state), begun, ended, [f"{path}.executor"])
        executor = "SKIPPED" if state == "cached" else state
        template = f"{self._metadata}{'retry-' if task.retry.limit else ''}system-container-impl"
        tries = [f"{path}.executor({number})" for number in range(more[0] if more else 1)]
        if not task.retry.limit:
            tries = []
            self._pod(label, template, f"{path}.executor")
        self._node(f"{path}.executor", "executor", executor, begun, ended, tries)
        for number, one in enumerate(tries):
            self._pod(label, template, one)
            self._node(one, f"executor({number})", executor, begun, ended, [])

    def _pod(self, label: str, template: str, path: str) -> None:
        self.pods[label] = f"{self.name}-{template}-{identity(self.name, path).rpartition('-')[2]}"

    def _node(
        self, path: str, display: str, state: str, begun: int, ended: int | None, below: list[str]
    ) -> None:
        del path  # the API does not tell it
        detail = {
            "run_id": "", "task_id": f"id-{len(self.details)}", "display_name": display, "state": state,
            "create_time": when(0), "start_time": when(begun), "end_time": when(ended), "execution_id": "0",
            "state_history": [{"update_time": when(begun), "state": state}],
            "child_tasks": [{"pod_name": identity(self.name, one)} for one in below],
        }  # fmt: skip
        self.details.append(detail)


def _done(state: str) -> str:
    return "SUCCEEDED" if state == "cached" else state

"""What the tasks of a run on Kubeflow wrote, and why one failed: only its pod's log says that."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import quote, urlencode

from components.common.errors import BadInputError, ComponentError, UnavailableError
from pipelines.local.failure import NAMED_EXITS
from pipelines.local.history import suggest
from pipelines.local.lineage_reader import LineageReader
from pipelines.local.walks import leaf_tasks
from pipelines.remote.api import Kubeflow
from pipelines.remote.nodes import Node
from pipelines.remote.pods import pod_names
from pipelines.remote.runs import RemoteRun, find_run
from pipelines.remote.stored_logs import read_stored_log

PAUSE_SECONDS = 3.0
# Lines of KFP's launcher (glog) and of Argo's executor, which stand around what the task itself wrote.
_AROUND = re.compile(
    r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+:\d+\]|time=\S+ level=\w+ |Error: exit status \d+$"
    r"|\[KFP Executor "
)
_STATUS = re.compile(r"exit status (\d+)")
_KILLED = 137


def read_logs(
    kubeflow: Kubeflow, run: RemoteRun, task: str | None, reader: LineageReader | None = None
) -> Iterator[str]:
    """Give what tasks wrote, in the order of the flow.

    Args:
        kubeflow: Where the run is.
        run: The run.
        task: One task, or a task of a loop for all its iterations; None for all tasks.
        reader: ML Metadata, which knows where logs are kept when pods are gone; or None.

    Yields:
        Pieces of text. Where there is more than one task, each begins with a line `==> task … <==`.

    Raises:
        BadInputError: The run has no such task, or it has not begun (before the first piece).
    """
    nodes = select(run, task)
    if task is not None and not nodes:
        raise BadInputError("the task has not begun", value=task, fix="`-f` waits for it")
    headed = [node.place.label for node in nodes] != [task]
    return (_whole(kubeflow, run, node, reader, headed=headed) for node in nodes)


def follow_logs(kubeflow: Kubeflow, run: RemoteRun, task: str | None) -> Iterator[str]:
    """Give what tasks wrote and go on as they write more, until the task or the run has ended.

    The arguments and pieces are those of `read_logs`; a header stands wherever another task goes on.
    """
    select(run, task)
    return _follow(kubeflow, run, task)


def _follow(kubeflow: Kubeflow, run: RemoteRun, task: str | None) -> Iterator[str]:
    read: dict[str, int] = {}
    done: set[str] = set()
    last: str | None = None
    while True:
        nodes = select(run, task)
        for node in nodes:
            label = node.place.label
            if label in done:
                continue
            text = _text(kubeflow, run, node)
            if len(text) > read.get(label, 0):
                named = label != last and [one.place.label for one in nodes] != [task]
                yield (_header(node) if named else "") + text[read.get(label, 0) :]
                read[label], last = len(text), label
            if node.ended:
                done.add(label)
        one = len(nodes) == 1 and nodes[0].place.label == task and task in done
        if run.has_ended or one:
            return
        time.sleep(PAUSE_SECONDS)
        run = find_run(kubeflow, run.run_id, run.package)


def select(run: RemoteRun, task: str | None) -> list[Node]:
    """Return the tasks that have begun and are meant.

    Raises:
        BadInputError: There is no such task in the run's package, or the package is of an unknown form.
    """
    if run.package.plan is None:
        raise BadInputError("its package is of a form that is not known here", where=f"run {run.run_id}")
    if task is None:
        return run.nodes
    found = [node for node in run.nodes if task in (node.place.label, node.place.task.label)]
    known = [one.label for one in leaf_tasks(run.package.plan.graph)]
    if not found and task not in known and re.sub(r"(-\d+)+$", "", task) not in known:
        fix = suggest(task, known, otherwise=f"its tasks: {', '.join(known)}")
        raise BadInputError("the run has no such task", where=f"run {run.run_id}", value=task, fix=fix)
    return found


def failure_reason(kubeflow: Kubeflow, run: RemoteRun, node: Node) -> tuple[str, int]:
    """Tell why a task failed.

    Returns:
        The reason, and the exit code that its program had: 2, 3 and 4 as they are, all others 1.
    """
    try:
        log = read_log(kubeflow, run, node)
    except ComponentError as error:
        return f"failed, and its log cannot be read: {error}", 1
    reason, status = cause(log)
    if node.is_driver:
        reason = f"could not be started: {reason}"
    return reason, status if status in NAMED_EXITS else 1


def cause(log: str) -> tuple[str, int]:
    """Return the line of a pod's log that says why its program failed, and the program's exit status.

    It is the last line of the program: KFP's launcher and Argo's executor write theirs after it.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    own = [line for line in lines if not _AROUND.match(line)]
    statuses = [int(found[1]) for line in lines if _AROUND.match(line) and (found := _STATUS.search(line))]
    status = next((number for number in statuses if number != 1), statuses[0] if statuses else 1)
    said = (own or lines or ["wrote nothing"])[-1].removeprefix("error: ")
    if status == _KILLED or "signal: killed" in log:
        return f"killed, perhaps for want of memory: {said}", status
    return said, status


def read_log(kubeflow: Kubeflow, run: RemoteRun, node: Node, reader: LineageReader | None = None) -> str:
    """Read the log of a task's pod, or what was kept of it.

    Raises:
        UnavailableError: The pod is gone and nothing was kept, or nobody can read it.
    """
    known = frozenset(child.pod_name for detail in run.details for child in detail.child_tasks or ())
    last: ComponentError | None = None
    for pod in pod_names(node, run.package.documents, known):
        try:
            return _pod_log(kubeflow, run.run_id, pod)
        except ComponentError as error:
            last = error
    if reader is not None:
        return read_stored_log(kubeflow, reader, run.run_id, node.place.label)
    fix = "--metadata finds the one that was kept, if its pod is gone"
    what = f"the log of {node.place.label} is not to be had: {last or 'it has no pod'}"
    raise UnavailableError(what, where=f"run {run.run_id}", fix=fix) from last


def _pod_log(kubeflow: Kubeflow, run_id: str, pod: str) -> str:
    """Ask the API server for a pod's log; the dashboard does not pass that on, and has a way of its own."""
    try:
        return kubeflow.text(f"/apis/v1alpha1/runs/{quote(run_id)}/nodes/{quote(pod)}/log")
    except (BadInputError, UnavailableError):
        asked = {"podname": pod, "runid": run_id}
        if kubeflow.namespace:
            asked["podnamespace"] = kubeflow.namespace
        return kubeflow.text(f"/k8s/pod/logs?{urlencode(asked)}")


def _text(kubeflow: Kubeflow, run: RemoteRun, node: Node) -> str:
    if node.cached or node.state == "SKIPPED":
        return ""
    try:
        return read_log(kubeflow, run, node)
    except UnavailableError:
        return ""  # its pod is not there yet


def _whole(
    kubeflow: Kubeflow, run: RemoteRun, node: Node, reader: LineageReader | None, *, headed: bool
) -> str:
    if node.cached:
        text = "not executed: its results are those of an earlier run\n"
    elif node.state == "SKIPPED":
        text = "not executed\n"
    else:
        try:
            text = read_log(kubeflow, run, node, reader)
        except UnavailableError as error:
            if not headed:
                raise
            text = f"{error}\n"
    return (_header(node) if headed else "") + (text if text.endswith("\n") or not text else f"{text}\n")


def _header(node: Node) -> str:
    seconds = f", {node.seconds:.0f} s" if node.seconds else ""
    cached = ", cached" if node.cached else ""
    return f"==> {node.place.label} ({node.state.lower()}{cached}{seconds}) <==\n"

"""Logs of tasks whose pods are gone: KFP's launcher keeps them as artifacts `executor-logs`."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from components.common.errors import UnavailableError
from pipelines.local.lineage_reader import LineageReader, is_output, label_of
from pipelines.remote.api import Kubeflow

_PORT = "executor-logs"
_SOURCES = {"gs": "gcs"}  # the dashboard's words for schemes, where they differ


def read_stored_log(kubeflow: Kubeflow, reader: LineageReader, run_id: str, label: str) -> str:
    """Read the log of a task from the object store, through the dashboard's server.

    Args:
        kubeflow: Its dashboard; the API server alone gives no artifacts.
        reader: ML Metadata, which knows where it is.
        run_id: The run.
        label: The task.

    Raises:
        UnavailableError: There is none, or it cannot be read.
    """
    context = reader.run(run_id)
    executions = [] if context is None else reader.executions(context)
    ids = [execution.id for execution in executions if label_of(execution) == label]
    events = [one for one in reader.events("execution", ids) if is_output(one)]
    logs = [event.artifact_id for event in events if event.path.steps[0].key == _PORT]
    found = reader.artifacts(logs)
    if not found:
        raise UnavailableError(
            "its pod is gone, and no log was kept", where=f"task {label} of run {run_id}"
        )
    place = urlsplit(max(found, key=lambda record: record.id).uri)  # that of the last attempt
    asked = {
        "source": _SOURCES.get(place.scheme, place.scheme), "bucket": place.netloc,
        "key": place.path.lstrip("/"),
    }  # fmt: skip
    if kubeflow.namespace:
        asked["namespace"] = kubeflow.namespace
    return kubeflow.text(f"/artifacts/get?{urlencode(asked)}")

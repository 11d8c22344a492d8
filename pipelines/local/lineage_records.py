"""The messages of ML Metadata that a run is recorded with, in the shape that KFP gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.local.plan import Graph, Task
from pipelines.local.store import protos


def task_names(task: Task) -> dict[str, str]:
    """Return the properties by which a task is known."""
    return {"display_name": task.display_name, "task_name": task.name}


def producers(task: Task, body: Graph) -> dict[str, Any]:
    """Return which task of a graph makes each of its outputs, as KFP writes it down."""
    artifacts: dict[str, Any] = {}
    parameters: dict[str, str] = {}
    for name, sources in body.outputs.items():
        key = "outputArtifactKey" if name in task.outputs.artifacts else "outputParameterKey"
        selectors = [{"producerSubtask": source.task, key: source.port} for source in sources]
        if name in task.outputs.artifacts:
            artifacts[name] = {"artifactSelectors": selectors}
        elif len(selectors) == 1:
            parameters[name] = json.dumps({"valueFromParameter": selectors[0]})
        else:
            parameters[name] = json.dumps({"valueFromOneof": {"parameterSelectors": selectors}})
    found: dict[str, Any] = {"artifact_producer_task": json.dumps(artifacts)} if artifacts else {}
    return {**found, "parameter_producer_task": parameters} if parameters else found


def event(kind: int, port: str, artifact: int | None) -> Any:
    """Return an event of a port; the id of an artifact that is put with it may be missing."""
    made = protos().Event(type=kind, artifact_id=artifact)
    made.path.steps.add().key = port
    return made


def set_plain(record: Any, key: str, value: Any) -> None:
    """Set a custom property as KFP does: text, number, bool as int, lists and mappings as structs."""
    target = record.custom_properties[key]
    if isinstance(value, bool):
        target.int_value = int(value)
    elif isinstance(value, (int, float)):
        target.double_value = float(value)
    elif isinstance(value, str):
        target.string_value = value
    elif key == "parameter_producer_task":
        set_struct(record, key, value)
    else:
        set_struct(record, key, {"list" if isinstance(value, list) else "struct": value})


def set_struct(record: Any, key: str, content: Mapping[str, Any]) -> None:
    """Set a custom property to a struct."""
    from google.protobuf import json_format

    target = record.custom_properties[key].struct_value
    target.SetInParent()  # a value that holds no kind at all ends the process, whatever Python catches
    json_format.ParseDict(dict(content), target)

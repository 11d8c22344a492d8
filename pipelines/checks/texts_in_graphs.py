"""Texts that steer a graph, or are put into other texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipelines.checks.content import at, mapping, texts
from pipelines.checks.finding import Breach
from pipelines.checks.subject import Package

_NAMED = re.compile(r"inputs\.parameter_values\['([^']+)'\]")
_PLACEHOLDER = re.compile(r"\{\{\$[^{}]*\}\}")
_OF_THE_JOB = re.compile(r"\{\{\$\.pipeline_\w+\}\}")
_WORKSPACE = "{{$.workspace_path}}"
_WRITTEN_ITEM = re.compile(r"loop-item-param-\d+")  # of a list that is written in the pipeline


def condition_on_text(package: Package) -> Iterator[Breach]:
    """Find conditions that read a text which a caller or a task may choose freely."""
    for step in package.steps:
        condition = str(at(step.task, "triggerPolicy", "condition") or "")
        for name in dict.fromkeys(_NAMED.findall(condition)):
            spec = mapping(step.component, "inputDefinitions", "parameters", name)
            if spec.get("parameterType") == "STRING" and not _WRITTEN_ITEM.search(name):
                yield Breach(
                    task=step.label, field="triggerPolicy.condition",
                    message=f"depends on the text `{name.removeprefix('pipelinechannel--')}`: what nobody "
                    "thought of skips both ways or takes the wrong one",
                    fix="let a task decide, and return a boolean",
                )  # fmt: skip


def text_in_json(package: Package) -> Iterator[Breach]:
    """Find placeholders inside longer texts and mappings, which the backend does not fill in as values.

    Its driver fills in those of the job that stand alone, and the workspace's path (driver/resolve.go of
    2.17.0); its launcher puts the raw text of inputs into JSON (`compileCmdAndArgs`, launcher_v2.go).
    """
    for step in package.steps:
        ports = mapping(step.component, "inputDefinitions", "parameters")
        for name, source in mapping(step.task, "inputs", "parameters").items():
            for path, text in texts(at(source, "runtimeValue", "constant")) if name in ports else ():
                filled = not path and (_OF_THE_JOB.fullmatch(text) or _WORKSPACE in text)
                if _PLACEHOLDER.search(text) and not filled:
                    yield _spliced(step.label, f"inputs.{name}{'.' if path else ''}{path}", text)
        for path, text in texts({key: step.container.get(key) for key in ("command", "args")}):
            if text.lstrip()[:1] in ("{", "[") and _PLACEHOLDER.search(text) and not _is_structure(text):
                yield _spliced(step.label, f"container.{path}", text)


def _spliced(task: str, field: str, text: str) -> Breach:
    left = _OF_THE_JOB.search(text)
    raw = "KFP puts raw text in place of a placeholder inside JSON: a quote in it breaks the task"
    return Breach(
        task=task, field=field, value=text,
        message="KFP leaves a placeholder of the job as it is inside a longer text" if left else raw,
        fix="hand the value to a port of its own, and join texts in the task",
    )  # fmt: skip


def _is_structure(text: str) -> bool:
    """Tell KFP's own forms from JSON of the user: a placeholder alone, `IfPresent`, `Concat`."""
    if _PLACEHOLDER.fullmatch(text.strip()):
        return True
    try:
        keys = set(mapping(json.loads(text)))
    except ValueError:
        return False
    return bool(keys) and keys <= {"IfPresent", "Concat"}

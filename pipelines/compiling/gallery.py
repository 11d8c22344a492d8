"""The gallery: a page of all components, made from their files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.common.page import write_page
from pipelines.doors import rooms
from pipelines.dress import UNCACHED

# The order in which examples go on from one another.
FLOW = (
    "resolve_sources", "ingest", "resolve_baseline", "data_validation", "halt", "transform",
    "propose_trials", "train_trials", "propose_next_round", "select_best", "evaluate", "deploy_model",
    "promote", "roll_back",
)  # fmt: skip
_TYPES = {
    "STRUCT": "dict", "LIST": "list", "STRING": "str", "BOOLEAN": "bool", "NUMBER_INTEGER": "int",
    "NUMBER_DOUBLE": "float",
}  # fmt: skip
# What examples give to ports of which no task before has an output of the same name.
_GIVEN = {
    "identities": "resolve_sources_task.output",
    "recipe": 'resolve_baseline_task.outputs["Output"]',
    "unless": 'data_validation_task.outputs["Output"]',
    "reasons": 'data_validation_task.outputs["anomalies"]',
    "batch": "batch",
    "models": 'dsl.Collected(train_trials_task.outputs["model"])',
    "before": 'propose_trials_task.outputs["start"]',
    "round": "1",
    "rounds": "2",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """An input or output of a component.

    Attributes:
        name: What it is called.
        type: Of Python, or the artifact's class.
        artifact: It is an artifact, not a value.
        default: As JSON; `required`, or `unset` where the component does without; empty for outputs.
        description: What it is.
    """

    name: str
    type: str
    artifact: bool
    default: str
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """What the page tells of a component.

    Attributes:
        name: Of its file, without `.yaml`.
        room: Where its source lies.
        description: What it does.
        image: Reference of its image.
        inputs: The required ones first.
        outputs: In the order of the file.
        uncached: Why no cache may answer for it; empty where one may.
        example: Lines of Python for a function under `@dsl.pipeline`.
    """

    name: str
    room: str
    description: str
    image: str
    inputs: Sequence[Port]
    outputs: Sequence[Port]
    uncached: str
    example: str


def write_gallery(files: Sequence[Path], page: Path) -> None:
    """Write the page of some component files.

    Args:
        files: Component files, of all doors.
        page: The HTML file.
    """
    template = Path(__file__).with_name("gallery.html")
    write_page(page, template, title="Components of Millrace", components=read_components(files))


def read_components(files: Sequence[Path]) -> list[Component]:
    """Read what component files say of themselves, in the order of the flow."""
    specs = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    producers: dict[str, str] = {}
    for name in FLOW:
        for port in specs[name]["root"].get("outputDefinitions", {}).get("artifacts", {}):
            producers.setdefault(port, f'{name}_task.outputs["{port}"]')
    return [_component(name, specs[name], {**producers, **_GIVEN}) for name in FLOW]


def _component(name: str, spec: Mapping[str, Any], given: Mapping[str, str]) -> Component:
    inputs = list(_ports(spec["root"].get("inputDefinitions", {})))
    inputs.sort(key=lambda port: port.default != "required")
    (executor,) = spec["deploymentSpec"]["executors"].values()
    (component,) = spec["components"].values()
    outputs = list(_ports(component.get("outputDefinitions", {}), outputs=True))
    return Component(
        name=name, room=rooms()[name], image=executor["container"]["image"], inputs=inputs, outputs=outputs,
        description=_sentence(spec, name), uncached=UNCACHED.get(name, ""),
        example=_example(name, inputs, given),
    )  # fmt: skip


def _sentence(spec: Mapping[str, Any], name: str) -> str:
    """Return the first line of a door's docstring: the files have it in the comment at their head alone."""
    command = next(iter(spec["deploymentSpec"]["executors"].values()))["container"]["command"][-1]
    return command.partition(f"def {name}(")[2].partition('"""')[2].partition("\n")[0].strip()


def _ports(definitions: Mapping[str, Any], *, outputs: bool = False) -> Iterator[Port]:
    for kind in ("artifacts", "parameters"):
        for name, port in definitions.get(kind, {}).items():
            artifact = kind == "artifacts"
            title = port["artifactType"]["schemaTitle"].removeprefix("system.") if artifact else ""
            told = f"list of {title}" if port.get("isArtifactList") else title
            yield Port(
                name=name, type=told or _TYPES[port["parameterType"]], artifact=artifact,
                default="" if outputs else _default(port), description=port.get("description", ""),
            )  # fmt: skip


def _default(port: Mapping[str, Any]) -> str:
    if "defaultValue" in port:
        value = port["defaultValue"]
        return json.dumps(int(value) if port["parameterType"] == "NUMBER_INTEGER" else value)
    return "unset" if port.get("isOptional") else "required"


def _example(name: str, inputs: Sequence[Port], given: Mapping[str, str]) -> str:
    required = [port.name for port in inputs if port.default == "required"]
    arguments = [f"{port}={given.get(port, port)}" for port in required]
    indent = "    " if name == "train_trials" else ""
    call = f"{indent}{name}_task = {name}({', '.join(arguments)})"
    if len(call) > 88:
        inside = "".join(f"\n{indent}    {argument}," for argument in arguments)
        call = f"{indent}{name}_task = {name}({inside}\n{indent})"
    loop = ['with dsl.ParallelFor(propose_trials_task.outputs["Output"]) as batch:'] if indent else []
    fresh = [f"{name}_task.set_caching_options(False)"] if name in UNCACHED else []
    return "\n".join([f'{name} = components.load_component_from_file("{name}.yaml")', *loop, call, *fresh])

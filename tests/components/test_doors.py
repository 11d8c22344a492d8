"""What KFP sees of every door: descriptions, images, ports, and a body that only hands over."""

import ast
import inspect
import textwrap

import pytest

from tests import house

DOORS = house.all_doors()
IMAGES = {"ingestion", "validation", "modelling", "deployment"}
MOST_LINES = 15  # after the imports

every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())


def statements(door) -> list[ast.stmt]:
    """The body of a door's function without its docstring."""
    function = ast.parse(textwrap.dedent(inspect.getsource(door.python_func))).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.body[1:] if ast.get_docstring(function) else function.body


@every_door
def test_every_input_and_output_is_described(door):
    spec = door.component_spec
    ports = {**(spec.inputs or {}), **(spec.outputs or {})}
    assert spec.description
    assert not [name for name, port in ports.items() if not port.description]


@every_door
def test_descriptions_reach_the_compiled_component(door, tmp_path):
    import yaml
    from kfp import compiler

    compiler.Compiler().compile(door, str(tmp_path / "door.yaml"))
    compiled = next(yaml.safe_load_all((tmp_path / "door.yaml").read_text(encoding="utf-8")))
    (component,) = compiled["components"].values()
    definitions = [component.get(key, {}) for key in ("inputDefinitions", "outputDefinitions")]
    ports = {name: port for side in definitions for kind in side.values() for name, port in kind.items()}
    assert set(ports) == {*(door.component_spec.inputs or {}), *(door.component_spec.outputs or {})}
    assert not [name for name, port in ports.items() if not port.get("description")]


@every_door
def test_body_is_short(door):
    lines = inspect.getsource(door.python_func).splitlines()
    work = [node for node in statements(door) if not isinstance(node, ast.ImportFrom)]
    assert len([line for line in lines[work[0].lineno - 1 :] if line.strip()]) <= MOST_LINES


@every_door
def test_body_turns_named_errors_into_exit_codes(door):
    blocks = [node for node in statements(door) if isinstance(node, ast.With)]
    assert [ast.unparse(item.context_expr) for block in blocks for item in block.items] == ["named_exit()"]


@every_door
def test_nothing_is_installed_when_a_door_runs(door):
    container = door.component_spec.implementation.container
    assert "pip" not in " ".join(str(part) for part in container.command)
    assert container.image in {f"millrace/{name}" for name in IMAGES}


@every_door
def test_only_the_verdict_or_one_value_is_a_parameter_output(door):
    outputs = door.component_spec.outputs or {}
    assert [name for name, port in outputs.items() if "@" not in str(port.type)] in ([], ["Output"])

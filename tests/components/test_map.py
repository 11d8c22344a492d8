"""`components/README.md` is the map of the rooms; these tests hold it, and the rooms' form, true."""

import ast
import re
import tomllib

import pytest

from tests import house

HEADINGS = ["Reads", "Writes", "Verdict", "Fails when", "Knobs", "Try it", "Use it in your own pipeline"]


def map_rows() -> dict[str, dict[str, str]]:
    """The rows of the map's table by room, each by column title."""
    text = (house.COMPONENTS / "README.md").read_text(encoding="utf-8")
    lines = text[text.index("| Room |") :].split("\n\n")[0].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    titles, _, *rows = table
    return {re.findall(r"`(\w+)`", row[0])[0]: dict(zip(titles, row, strict=True)) for row in rows}


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([\w/-]+)`", cell))


def test_map_lists_every_room_and_no_other():
    assert sorted(map_rows()) == sorted([*house.rooms(), "common"])


@pytest.mark.parametrize("room", [*house.rooms(), "common"])
def test_map_tells_the_doors_artifacts_and_images_of_a_room(room):
    row, doors = map_rows()[room], house.doors(room)
    specs = [door.component_spec for door in doors.values()]
    assert names(row["Doors"]) == set(doors)
    assert names(row["Reads"]) == {port for spec in specs for port in artifacts(spec.inputs)}
    assert names(row["Writes"]) == {port for spec in specs for port in artifacts(spec.outputs)}
    assert names(row["Image"]) == {spec.implementation.container.image.split("/")[-1] for spec in specs}


def artifacts(ports) -> list[str]:
    """The names of the ports that carry artifacts: their type says its schema, as `system.Model@0.0.1`."""
    return [name for name, port in (ports or {}).items() if "@" in str(port.type)]


@pytest.mark.parametrize("room", house.rooms())
def test_room_has_the_same_files_as_every_room(room):
    folder = house.COMPONENTS / room
    files = {file.name for file in folder.iterdir() if file.is_file()}
    work = {name for name in files if name.endswith(".py")} - {"__init__.py", "component.py", "config.py"}
    assert {"README.md", "__init__.py", "config.py"} <= files
    assert work, f"{room} has a door and no work behind it"
    assert list((house.ROOT / "tests" / "components" / room).glob("test_*.py")), f"{room} has no test"


@pytest.mark.parametrize("room", house.rooms())
def test_room_readme_has_the_same_headings_as_every_room(room):
    text = (house.COMPONENTS / room / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^#{2,3} (.+?)\s*$", text, flags=re.MULTILINE)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS


@pytest.mark.parametrize("room", house.rooms(having="component.py"))
def test_room_readme_names_every_door_and_artifact(room):
    text = (house.COMPONENTS / room / "README.md").read_text(encoding="utf-8")
    for name, door in house.doors(room).items():
        ports = [*artifacts(door.component_spec.inputs), *artifacts(door.component_spec.outputs)]
        assert re.search(rf"\b{name}\b", text)
        assert not [port for port in ports if f"`{port}`" not in text]


@pytest.mark.parametrize("path", [p for p in house.sources("components") if p.endswith("__init__.py")])
def test_init_holds_a_docstring_and_nothing_else(path):
    body = ast.parse((house.ROOT / path).read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert ast.get_docstring(ast.Module(body=body, type_ignores=[]))


def test_layers_name_every_room():
    settings = tomllib.loads((house.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert sorted(layers[1].split(" | ")) == [f"components.{room}" for room in house.rooms()]

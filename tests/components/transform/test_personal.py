"""Columns that data validation tagged as personal: they enter by name only, and no value is told."""

import json
import shutil

import pytest

from tests.components.transform.conftest import run
from tests.components.transform.test_report import text_of

PERSONAL = ("price", "town", "street", "built")
STREET = b"street 17"


@pytest.fixture(scope="module")
def tagged(houses, tmp_path_factory):
    folder = tmp_path_factory.mktemp("personal") / "houses"
    shutil.copytree(houses, folder)
    file = folder / "schema" / "schema.pbtxt"
    text = file.read_text(encoding="utf-8")
    for name in PERSONAL:
        named = f'name: "{name}"\n'
        assert named in text
        text = text.replace(named, named + '  annotation { tag: "personal" }\n')
    file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def made(tagged, tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    run(tagged, out, features={"price": "number", "town": {}})
    return out


def holders(folder, value):
    return [
        file.name for file in sorted(folder.rglob("*")) if file.is_file() and value in file.read_bytes()
    ]


def test_a_personal_column_is_left_out_unless_it_is_named(made):
    summary = json.loads((made / "graph" / "transform.json").read_bytes())
    left_out = {name for name, reason in summary["dropped"].items() if "is personal" in reason}
    assert left_out == {"street", "built"}
    assert {"price", "town"} < summary["inputs"].keys()
    assert "street is personal, and features does not name it" in text_of(
        (made / "report.html").read_text()
    )


def test_no_value_of_a_column_that_is_left_out_stands_in_any_output(houses, made, tmp_path):
    run(houses, tmp_path)
    assert holders(tmp_path, STREET) != []  # it does where the column is not tagged
    assert holders(made, STREET) == []


def test_nothing_learnt_of_a_personal_column_is_told_and_all_of_the_others_is(made):
    text = text_of((made / "report.html").read_text(encoding="utf-8"))
    assert "price float price.number number asked for not shown: the column is personal" in text
    assert "town string town.index index of 5 a string, 3 distinct values not shown" in text
    assert "metres integer metres.number number an integer, more than 64 distinct values mean" in text

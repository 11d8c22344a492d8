import math

import pytest

from components.common.errors import BadInputError
from pipelines.local.placeholders import fill, unknown_placeholder
from pipelines.local.values import convert, parse

GIVEN = {
    "inputs": {
        "parameterValues": {"rows": 3, "name": "a {{$.inputs.parameters['rows']}}", "grid": [1.0]},
        "artifacts": {"data": {"artifacts": [{"uri": "/in/data"}]}},
    },
    "outputs": {
        "parameters": {"Output": {"outputFile": "/out/Output"}},
        "artifacts": {"model": {"artifacts": [{"uri": "/out/model"}]}},
        "outputFile": "/out/executor_output.json",
    },
}


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3.0, "NUMBER_INTEGER", 3),
        (3, "NUMBER_DOUBLE", 3.0),
        ("3", "STRING", "3"),
        (False, "BOOLEAN", False),
        ([1.0, {"a": 2.0}], "LIST", [1.0, {"a": 2.0}]),
        ({}, "STRUCT", {}),
    ],
)
def test_value_takes_the_type_of_its_parameter(value, kind, expected):
    converted = convert(value, kind, "x")
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3.5, "NUMBER_INTEGER"), (True, "NUMBER_INTEGER"), ("3", "NUMBER_INTEGER"),
        (math.nan, "NUMBER_INTEGER"), (math.inf, "NUMBER_DOUBLE"), (True, "NUMBER_DOUBLE"),
        (1, "STRING"), ("true", "BOOLEAN"), (1, "BOOLEAN"), ("[]", "LIST"), ([], "STRUCT"),
        ({"a": math.nan}, "STRUCT"), ([{1, 2}], "LIST"),
    ],
)  # fmt: skip
def test_value_of_another_type_is_refused_and_the_place_named(value, kind):
    with pytest.raises(BadInputError, match="parameter `x`"):
        convert(value, kind, "parameter `x`")


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [("True", "BOOLEAN", True), ("4", "NUMBER_INTEGER", 4), ("[1]", "LIST", [1]), ("[1]", "STRING", "[1]")],
)
def test_text_of_an_output_file_is_parsed_by_type(text, kind, expected):
    assert parse(text, kind, "x") == expected


def test_text_that_is_no_value_of_its_type_is_refused():
    with pytest.raises(BadInputError, match="a whole number"):
        parse("many", "NUMBER_INTEGER", "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--n={{$.inputs.parameters['rows']}}", "--n=3"),
        ("{{$.inputs.parameters['grid']}}", "[1]"),
        ("{{$.inputs.artifacts['data'].path}}/a", "/in/data/a"),
        ("{{$.outputs.artifacts['model'].uri}}", "/out/model"),
        ("{{$.outputs.parameters['Output'].output_file}}", "/out/Output"),
        ("{{$.outputs.output_file}}", "/out/executor_output.json"),
    ],
)
def test_placeholders_are_replaced(text, expected):
    assert fill(text, GIVEN, "t") == expected


def test_placeholder_inside_a_value_is_data():
    filled = fill("{{$.inputs.parameters['name']}}", GIVEN, "t")
    assert filled == "a {{$.inputs.parameters['rows']}}"


def test_placeholder_of_an_unset_input_is_an_error_that_names_it():
    with pytest.raises(BadInputError, match="absent"):
        fill("{{$.inputs.parameters['absent']}}", GIVEN, "t")


def test_placeholder_that_nobody_knows_is_found():
    assert unknown_placeholder("a {{$}} {{$.pipeline_job_name}} {{$.mystery}}") == "{{$.mystery}}"
    assert unknown_placeholder("{{ $ }} {{x}}") is None

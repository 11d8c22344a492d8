"""Expected values are those of the CEL specification (langdef.md) and of KFP's expression_test.go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.common.errors import BadInputError
from pipelines.local.conditions import parse_condition

TEXT = 'it\'s "q"\n\\'
VALUES = {"n": 2, "x": 1.9, "text": TEXT, "yes": True, "type": "foo", "digits": "12", "many": [1]}


def holds(text, values=VALUES):
    return parse_condition(text, "task `t`").holds(values, "task `t`")


def parameter(name):
    return f"inputs.parameter_values['{name}']"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{parameter('type')}=='foo'", True),
        (f"{parameter('type')}=='foo2'", False),
        (f"{parameter('n')} == 2", True),
        (f"{parameter('type')}=='foo' && {parameter('n')} == 2.0", True),
        (f"int({parameter('x')}) == 1", True),
        (f"!(int({parameter('n')}) == 2) && {parameter('x')} > 1.25", False),
        (f"{parameter('text')} == 'it\\'s \"q\"\\n\\\\'", True),
        (f'{parameter("text")} == "it\'s \\"q\\"\\x0a\\134"', True),
        ("'''a\n'b''' == 'a\\u000a\\'b'", True),
        (f"{parameter('yes')} == true", True),
        (f"{parameter('yes')} != null", True),
        ("'1' == 1", False),
        ("true == 1", False),
        (f"int({parameter('digits')}) >= 12", True),
        (f"string({parameter('n')}) == '2'", True),
        (f"-{parameter('n')} < -1", True),
        ("1 < 2 || 'a' < 2", True),
        ("'a' < 2 || 1 < 2", True),
        ("'a' < 2 && false", False),
        ("false || !false && true", True),
        ("true || false && false", True),
    ],
)
def test_condition_is_evaluated_as_cel(text, expected):
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"{parameter('gone')} == 1", "`gone`, which has no value"),
        ("'a' < 2", "no order"),
        ("'a' < 2 || false", "no order"),
        (f"int({parameter('type')}) == 1", "no whole number"),
        ("double('x') == 1.0", "no number"),
        (f"string({parameter('many')}) == ''", "no text"),
        ("int(1e30) == 1", "no whole number"),
        (f"{parameter('n')}", "neither true nor false"),
        ("!1", "for true or false"),
    ],
)
def test_condition_without_an_answer_is_an_error(text, what):
    with pytest.raises(BadInputError, match=what):
        holds(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{parameter('text')} == 'it's'", "'a\nb' == 'a'", "'\\q' == ''", "1 + 2 == 3", "size('a') == 1",
        "", "(1 == 1", "inputs.parameter_values == 1", "__import__('os')", "true true", "'a",
    ],
)  # fmt: skip
def test_what_the_compiler_does_not_write_is_refused(text):
    with pytest.raises(BadInputError, match="not what KFP can evaluate"):
        parse_condition(text, "task `t`")


@given(st.text(), st.text())
def test_text_of_a_parameter_is_data(value, other):
    text = f"{parameter('a')} == {parameter('b')}"
    assert holds(text, {"a": value, "b": other}) is (value == other)


@given(st.integers(-1000, 1000), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_compare_across_kinds(left, right):
    values = {"a": left, "b": right}
    assert holds(f"{parameter('a')} < {parameter('b')}", values) is (left < right)
    assert holds(f"{parameter('a')} == {parameter('b')}", values) is (left == right)

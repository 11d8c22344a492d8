"""A named error ends a task with one line and its exit code."""

import pytest

from components.common.errors import BadInputError, RefusedError, UnavailableError, named_exit


def test_the_four_parts_stand_in_one_line():
    error = BadInputError("rows are missing", where="a.csv:3", value="x\ny", fix="send\nthem")
    assert str(error) == r"rows are missing — a.csv:3 — got 'x\ny' — send them"


def test_a_long_value_is_cut():
    assert len(str(BadInputError("too long", value="x" * 10_000))) < 250


@pytest.mark.parametrize(("error", "code"), [(BadInputError, 2), (RefusedError, 3), (UnavailableError, 4)])
def test_the_last_line_and_the_exit_code_tell_what_happened(error, code, capsys):
    with pytest.raises(SystemExit) as ended, named_exit():
        raise error("it is so")
    assert ended.value.code == code
    assert capsys.readouterr().err == "error: it is so\n"


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), named_exit():
        _ = 1 / 0

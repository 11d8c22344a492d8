import pytest

from components.common.errors import BadInputError
from components.transform.infer_task import infer_task, require_label
from components.transform.profile import ColumnProfile


def label(kind, values):
    return ColumnProfile(kind=kind, rows=100, present=100, counted=100, distinct=set(values))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (label("boolean", [0, 1]), ("binary", ["0", "1"])),
        (label("string", ["yes", "no"]), ("binary", ["no", "yes"])),
        (label("float", [2.0, 1.5]), None),
        (label("integer", [10, 9, 100]), ("multiclass", ["9", "10", "100"])),
        (label("float", [1.0, 2.0, 3.0]), ("multiclass", ["1", "2", "3"])),
        (label("string", "cab"), ("multiclass", ["a", "b", "c"])),
        (label("integer", range(21)), ("regression", [])),
        (label("float", [0.5, 1.5, 2.5]), ("regression", [])),
    ],
)
def test_the_task_follows_from_the_label(column, expected):
    if expected is None:
        with pytest.raises(BadInputError, match="text or whole numbers"):
            infer_task(column, None, label="y")
    else:
        assert infer_task(column, None, label="y") == expected


@pytest.mark.parametrize(
    ("column", "task", "message"),
    [
        (label("integer", [1]), None, "at least two distinct values"),
        (label("integer", []), "regression", "at least two distinct values"),
        (label("string", "ab"), "regression", "numeric label"),
        (label("string", "abc"), "binary", "two distinct values"),
        (label("float", [0.5, 1.5, 2.5]), "multiclass", "choose regression"),
        (label("integer", range(2000)), "multiclass", r"`y` has 2,000 distinct .* is it the label\?"),
        (label("date", map(str, range(51))), None, "`y` has 51 distinct values in 100 rows, too many for"),
        (label("integer", [0, 1]), "ranking", "unknown task"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(column, task, message):
    with pytest.raises(BadInputError, match=message):
        infer_task(column, task, label="y")


def test_a_text_label_may_take_a_value_in_every_second_row():
    assert infer_task(label("string", map(str, range(50))), None, label="y")[0] == "multiclass"


def test_a_label_that_is_no_column_suggests_the_nearest():
    with pytest.raises(BadInputError, match="did you mean `late`"):
        require_label("lat", {"late": "boolean"})

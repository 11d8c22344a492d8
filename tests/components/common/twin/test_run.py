"""Running programs: whatever the number of rows, from several threads, with slots that are used again."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from components.common.errors import BadInputError
from components.common.twin.kinds import OperationError
from components.common.twin.program import Input, Output, Program
from components.common.twin.run import CHUNK, Twin
from tests.tiny_model import ROWS, expected_probability
from tests.tiny_twin import step, tiny_program


def columns(count):
    rows = [ROWS[place % len(ROWS)] for place in range(count)]
    ages = [np.nan if row["age"] is None else row["age"] for row in rows]
    carriers = np.empty(count, np.object_)
    carriers[:] = [(row["carrier"] or "\0").encode() for row in rows]
    seats = np.array([row["seats"] for row in rows], np.int64)
    return {"age": np.array(ages, np.float32), "seats": seats, "carrier": carriers}


@pytest.mark.parametrize("count", [0, 1, 4, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_every_number_of_rows_is_answered_as_by_the_formula(count):
    found = Twin(tiny_program()).predict(columns(count))["probability"]
    assert (found.dtype, found.shape) == (np.float32, (count,))
    wanted = [expected_probability(ROWS[place % len(ROWS)]) for place in range(count)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_threads_do_not_meet():
    twin, given = Twin(tiny_program()), [columns(count) for count in range(1, 60)]
    alone = [twin.predict(each)["probability"].tolist() for each in given]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(twin.predict, given * 5))
    assert [each["probability"].tolist() for each in together] == alone * 5


def program(*steps, outputs):
    return Program(
        inputs=[Input(name="n", datatype="INT64", value="n")],
        outputs=[Output(name=name, value=value) for name, value in outputs.items()],
        steps=list(steps), constants={"two": np.int64(2), "one": np.int32(1)}, tables={},
    )  # fmt: skip


def test_a_value_is_kept_as_long_as_a_later_step_or_an_answer_needs_it():
    twin = Twin(
        program(
            step("Mul", "n two", "a"), step("AddV2", "a n", "b"), step("Mul", "b b", "c"),
            step("Sub", "c a", "d"), step("AddV2", "d n", "e"),
            outputs={"early": "b", "late": "e", "input": "n"},
        )
    )  # fmt: skip
    n = np.array([3, -1])
    found = twin.predict({"n": n})
    assert {name: each.tolist() for name, each in found.items()} == {
        "early": (3 * n).tolist(), "late": (9 * n * n - n).tolist(), "input": n.tolist()
    }  # fmt: skip


def test_a_value_without_an_answer_is_an_error_as_in_tensorflow():
    twin = Twin(program(step("FloorDiv", "two n", "answer"), outputs={"answer": "answer"}))
    assert twin.predict({"n": np.array([1, 2])})["answer"].tolist() == [2, 1]
    with pytest.raises(OperationError, match="divided by zero"):
        twin.predict({"n": np.array([1, 0])})


def test_a_step_that_is_not_computed_so_is_refused_by_its_number():
    lower = step("StringLower", "n", "lower", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"step 0 of the twin.*StringLower.*utf-8"):
        Twin(program(lower, outputs={"lower": "lower"}))

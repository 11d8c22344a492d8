"""A user's function that fails on a value: told with line, column and row, and without the value."""

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.components.transform.conftest import run

NUMBER = "    number = tf.strings.to_number(tf.strings.regex_replace(inputs['street'], 'street ', ''))\n"
HEAD = "import tensorflow as tf\nimport tensorflow_transform as tft\n\n\ndef preprocessing_fn(inputs):\n"
ANALYSED = "    return {'x': tft.scale_to_z_score(number)}\n"
APPLIED = "    return {'x': number - tft.mean(inputs['price'])}\n"
ASSERTED = (
    "    rooms = inputs['rooms'] + tf.cast(inputs['garden'], tf.int64)\n"
    "    with tf.control_dependencies([tf.debugging.assert_less(rooms, tf.constant(7, tf.int64))]):\n"
    "        return {'x': tf.identity(rooms)}\n"
)


@pytest.fixture
def spoilt(houses, tables, tmp_path):
    """The houses with a street and a garden that no function can take, in row 31 of the second file."""
    folder = tmp_path / "spoilt"
    for split, table in tables.items():
        (folder / "examples" / split).mkdir(parents=True)
        half = table.num_rows // 2
        streets, gardens = table["street"].to_pylist(), table["garden"].to_pylist()
        if split == "train":
            streets[half + 31], gardens[half + 31] = "street SECRET", 99
        table = table.set_column(table.column_names.index("street"), "street", pa.array(streets))
        table = table.set_column(
            table.column_names.index("garden"), "garden", pa.array(gardens, pa.int64())
        )
        for part, piece in enumerate((table[:half], table[half:])):
            pq.write_table(piece, folder / "examples" / split / f"part-{part:05d}.parquet")
    (folder / "schema").symlink_to(houses / "schema")
    return folder


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (NUMBER + APPLIED, "StringToNumber — mine.py:6, column `street`"),
        (ASSERTED, "Assert — mine.py:7, column `rooms`, `garden`"),
    ],
    ids=["when rows are transformed", "an assertion in the analysis"],
)
def test_a_value_that_a_function_cannot_take_is_located(spoilt, tmp_path, capsys, body, place):
    (tmp_path / "mine.py").write_text(HEAD + body)
    with pytest.raises(SystemExit) as ended:
        run(spoilt, tmp_path / "out", module_uri=str(tmp_path / "mine.py"))
    assert ended.value.code == 2
    assert f"{place}, split `train`, row 231 (counted from 0)" in capsys.readouterr().err.splitlines()[-1]
    assert list((tmp_path / "out").iterdir()) == []


DOOR = """
import sys
from pathlib import Path
from tests.components.transform.conftest import run

run(Path(sys.argv[1]), Path(sys.argv[2]), module_uri=sys.argv[3])
"""


def test_a_value_that_the_analysis_cannot_take_is_located_and_in_no_log(spoilt, tmp_path):
    (tmp_path / "mine.py").write_text(HEAD + NUMBER + ANALYSED)
    command = [sys.executable, "-c", DOOR, str(spoilt), str(tmp_path / "out"), str(tmp_path / "mine.py")]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 2
    place = "StringToNumber — mine.py:6, column `street`, split `train`, row 231 (counted from 0)"
    assert place in done.stderr.splitlines()[-1]
    assert "SECRET" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("x = 1\n\nraise RuntimeError('no')\n", "mine.py:3"),
        (HEAD + "    x = inputs['nowhere']\n    return {'x': x}\n", "mine.py:6"),
    ],
    ids=["the module", "the function"],
)
def test_a_function_that_cannot_even_be_traced_is_told_with_its_line(
    houses, tmp_path, capsys, source, place
):
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(SystemExit) as ended:
        run(houses, tmp_path / "out", module_uri=str(tmp_path / "mine.py"))
    assert ended.value.code == 2
    assert place in capsys.readouterr().err.splitlines()[-1]

"""`millrace predict` by a model's folder imports TensorFlow only where the twin is not proven."""

import subprocess
import sys

import pytest

from tests.tiny_model import ROWS, expected_probability, write_tiny_model

LINES = [
    "age,seats,carrier",
    *(f"{row['age'] or ''},{row['seats']},{row['carrier'] or ''}" for row in ROWS),
]


@pytest.mark.parametrize("obstacle", [None, "operation `RegexReplace` is not on the list"])
def test_a_proven_twin_predicts_a_file_without_tensorflow(obstacle, tmp_path):
    model = write_tiny_model(tmp_path / "model", twin_obstacle=obstacle)
    (tmp_path / "rows.csv").write_text("\n".join(LINES))
    out = tmp_path / "out.csv"
    told = ["predict", str(model), str(tmp_path / "rows.csv"), "--out", str(out)]
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipelines.cli", *told],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    imported = {line.rsplit("|", 1)[-1].strip() for line in ended.stderr.splitlines()}
    assert "components.serving.predictor" in imported
    assert ("tensorflow" in imported) == (obstacle is not None)
    assert ("components.serving.twin_engine" in imported) == (obstacle is None)
    answers = [float(line.rsplit(",", 1)[-1]) for line in out.read_text().splitlines()[1:]]
    assert answers == pytest.approx([expected_probability(row) for row in ROWS], rel=1e-6)

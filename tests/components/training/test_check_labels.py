"""The check leaves the process as it must be to be copied for a trial."""

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq

COUNTS = """
import os, sys
from pathlib import Path
from components.common.artifacts import TransformSummary
from components.training.check_labels import check_labels
summary = TransformSummary(task="regression", label="late", classes=[], inputs={}, features=[], dropped={})
before = len(os.listdir("/proc/self/task"))
check_labels(Path(sys.argv[1]), summary)
print(before, len(os.listdir("/proc/self/task")))
"""


def test_check_starts_no_thread(tmp_path):
    for split in ("train", "eval"):
        (tmp_path / split).mkdir()
        table = pa.table({"label": pa.array([0.0, 1.0, 2.0] * 1000, pa.float32())})
        pq.write_table(table, tmp_path / split / "part-00000.parquet")
    done = subprocess.run([sys.executable, "-c", COUNTS, str(tmp_path)], capture_output=True, text=True)
    before, after = done.stdout.split() or [done.stderr, ""]
    assert before == after

"""A hundred trivial tasks in a chain: our runner against stock `kfp.local`, whole runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.record import Record, judge
from benchmarks.small_pipelines import chain, compiled, run_ours, run_stock

TASKS = 100


def measure() -> Record:
    """Time each once, after a short chain that fills the disk cache and compiles bytecode."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run_ours(compiled(chain(2), folder), folder)
        ours, _ = run_ours(compiled(chain(TASKS), folder), folder)
    run_stock(chain(2))
    return judge(
        "chain_100",
        ours,
        peer=run_stock(chain(TASKS)),
        at="most",
        bound=0.16,
        conditions={"unit": "seconds, wall", "peer": "kfp.local.SubprocessRunner", "tasks": TASKS},
    )

"""A whole run of the main job on the flights, and the same by TFX and by a plain script."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.cost import Cost, cost_of
from benchmarks.ingestion import copies_of_flights
from benchmarks.latest_run import artifact
from benchmarks.peers.tfx_environment import HOME, tfx_python
from benchmarks.record import Condition, Record, judge, unjudged
from components.common.artifacts import read_evaluation, split_files
from components.common.documents import read_json
from components.common.errors import BadInputError, UnavailableError

PARAMETERS = Path("pipelines/parameters/flights.yaml")
FRACTIONS = {"train": 0.668, "eval": 0.166, "test": 0.166}
BATCH, EPOCHS = 1024, 3  # of 213 steps: 639
SLICES = 20  # all rows, 16 carriers, three origins
LARGE_COPIES = 10
_MOST_AUC_APART = 0.02
_PYTHON = sys.executable
_FLIGHTS = "data/flights/flights-2013-*.csv"


@dataclass(frozen=True)
class WholeRun:
    """One run: what it cost and what came of it.

    Attributes:
        cost: Of the command with all that it starts.
        rows: By split.
        label_mean: Over all rows.
        auc: On the rows of `test`.
        slices: Parts of `test` with metrics of their own, all rows included.
        steps: Of training, `BATCH` rows each.
        parts: Seconds by task; empty for a peer.
    """

    cost: Cost
    rows: Mapping[str, int]
    label_mean: float
    auc: float
    slices: int
    steps: int
    parts: Mapping[str, float]

    @property
    def all_rows(self) -> int:
        """Rows of all splits."""
        return sum(self.rows.values())


@cache
def our_run(copies: int = 1) -> WholeRun:
    """Run the main job, all caches off, until its server has answered the golden requests.

    Ten copies get one pass, 2,135 steps, the fewest that a trial can have.
    """
    epochs = EPOCHS if copies == 1 else 1
    pattern = str(Path(_FLIGHTS).absolute()) if copies == 1 else f"{copies_of_flights(copies)}/*.csv"
    cost, run = _run_ours(pattern, epochs=epochs, root=_scratch() / f"ours-{copies}")
    if not run["endpoint"] or not run["endpoint"]["golden_requests"]:
        raise UnavailableError("the run ended without a server that answers", where=run["directory"])
    examples, evaluation = artifact(run, "examples"), read_evaluation(artifact(run, "evaluated_model"))
    rows, late = _count(examples)
    return WholeRun(
        cost=cost, rows=rows, label_mean=late, auc=evaluation.metrics["auc"]["value"],
        slices=1 + len(evaluation.slices), steps=epochs * (rows["train"] // BATCH),
        parts={task["name"]: float(task["seconds"]) for task in run["tasks"]},
    )  # fmt: skip


@cache
def plain_run() -> WholeRun:
    """Run the plain script over the same files; it divides the rows at random, in the same shares."""
    out = _scratch() / "plain"
    out.mkdir()
    command = [_PYTHON, "-m", "benchmarks.peers.plain_script", _FLIGHTS, str(out)]
    cost = cost_of(command, log=out / "log")
    found = read_json(out / "result.json")
    return _agreeing(_peer_run(cost, found), same_rows=False)


@cache
def tfx_run() -> WholeRun:
    """Run TFX over the very rows of our splits, written as CSV before its time begins.

    Raises:
        UnavailableError: It cannot run here.
    """
    python, ours, out = tfx_python(), our_run(), _scratch() / "tfx"
    evaluating = ours.rows["eval"] // BATCH
    (out / "run").mkdir(parents=True)
    _write_csv(_scratch() / "ours-1", out / "csv")
    command = [str(python), str(HOME / "pipeline.py"), str(out / "csv"), str(out / "run")]
    cost = cost_of([*command, str(ours.steps), str(evaluating)], log=out / "log")
    cost_of([*command, "--tell"], log=out / "log-of-results")
    found = read_json(out / "run" / "result.json")
    if not found["pushed"] or found["judged_rows"] != found["rows"]["test"]:
        raise UnavailableError("TFX pushed no model, or judged other rows", where=out, value=found)
    return _agreeing(_peer_run(cost, found), same_rows=True)


def against_tfx(name: str, unit: str, number: Callable[[WholeRun], float], *, bound: float) -> Record:
    """Compare one number of our run with TFX's; where TFX cannot run, the record says why."""
    try:
        peer = tfx_run()
    except UnavailableError as error:
        return unjudged(
            name, number(our_run()), bound=f"ratio <= {bound:g}", reason=error, conditions={"unit": unit}
        )
    told = {
        "unit": unit,
        **conditions("TFX 1.16, LocalDagRunner, no cache, from CSV to a pushed model", peer),
    }
    return judge(name, number(our_run()), peer=number(peer), at="most", bound=bound, conditions=told)


def conditions(name: str, peer: WholeRun) -> dict[str, Condition]:
    """Return what both sides did and what came of it."""
    ours = our_run()
    told: dict[str, Condition] = {
        "peer": name, "rows": ours.all_rows, "steps": ours.steps, "batch": BATCH, "trials": 1,
        "slices": ours.slices, "repeats": 1,
    }  # fmt: skip
    for side, run in (("ours", ours), ("peer", peer)):
        told |= {
            f"{side}_seconds": round(run.cost.seconds, 2),
            f"{side}_cpu_seconds": round(run.cost.cpu_seconds, 2),
            f"{side}_peak_mib": round(run.cost.peak_mib), f"{side}_auc": round(run.auc, 4),
        }  # fmt: skip
    return told | {f"seconds_of_{task}": round(seconds, 2) for task, seconds in ours.parts.items()}


@cache
def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="benchmark-whole-run-")


def _scratch() -> Path:
    return Path(_scratch_folder().name)


def _run_ours(pattern: str, *, epochs: int, root: Path) -> tuple[Cost, Mapping[str, Any]]:
    root.mkdir()
    given = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))
    given |= {
        "sources": {"flights": pattern}, "split": {"by": "hash", "fractions": FRACTIONS}, "trials": 1,
        "evaluation": {"min_slice_rows": 1},
        "search_space": {
            "epochs": epochs, "patience": epochs, "bins": 0, "batch_size": BATCH,
        },
    }  # fmt: skip
    params = root / "parameters.yaml"
    params.write_text(yaml.safe_dump(given), encoding="utf-8")
    program = str(Path(_PYTHON).with_name("millrace"))
    cost = cost_of(
        [program, "run", "training", "--params", str(params), "--no-cache", "--root", str(root)],
        log=root / "log", after=[program, "stop", "--root", str(root)],
    )  # fmt: skip
    return cost, read_json(next(root.glob("training/*/run.json")))


def _count(examples: Path) -> tuple[dict[str, int], float]:
    labels = {
        split: pl.read_parquet(split_files(examples, split), columns=["late"])["late"]
        for split in FRACTIONS
    }
    rows = {split: len(found) for split, found in labels.items()}
    return rows, sum(int(found.sum()) for found in labels.values()) / sum(rows.values())


def _write_csv(root: Path, folder: Path) -> None:
    examples = artifact(read_json(next(root.glob("training/*/run.json"))), "examples")
    for split in FRACTIONS:
        (folder / split).mkdir(parents=True)
        pl.read_parquet(split_files(examples, split)).write_csv(folder / split / "rows.csv")


def _peer_run(cost: Cost, found: Mapping[str, Any]) -> WholeRun:
    return WholeRun(
        cost, found["rows"], found["label_mean"], found["auc"], found["slices"], our_run().steps, {}
    )


def _agreeing(peer: WholeRun, *, same_rows: bool) -> WholeRun:
    """Return a peer's run that did what ours did.

    Raises:
        BadInputError: It came to something else.
    """
    ours = our_run()
    checks = {
        "rows": peer.rows == ours.rows if same_rows else peer.all_rows == ours.all_rows,
        "label mean": abs(peer.label_mean - ours.label_mean) < 1e-6,
        "slices": peer.slices == ours.slices == SLICES,
        "AUC": abs(peer.auc - ours.auc) <= _MOST_AUC_APART,
    }
    for what, equal in checks.items():
        if not equal:
            value = json.dumps({"ours": _told(ours), "peer": _told(peer)})
            raise BadInputError(f"the two sides differ in {what}", where="whole run", value=value)
    return peer


def _told(run: WholeRun) -> dict[str, Any]:
    return {"rows": dict(run.rows), "label_mean": run.label_mean, "auc": run.auc, "slices": run.slices}

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

from components.common.artifacts import read_verdict
from components.common.storage import content_digest

ROOT = Path(__file__).parents[3]
OUTPUTS = {"statistics": "Artifact", "schema": "Artifact", "anomalies": "Artifact", "report": "HTML"}
# What KFP puts before the source of a lightweight component's function.
HEAD = "import kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"


def shipped_source():
    """The door's function as text, without its decorator: all of the module that reaches a container."""
    text = (ROOT / "components" / "data_validation" / "component.py").read_text()
    [door] = [each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)]
    return HEAD + ast.get_source_segment(text, door)


def port(kind, name, path):
    title = {"schemaTitle": f"system.{kind}", "schemaVersion": "0.0.1"}
    return {"artifacts": [{"name": name, "type": title, "uri": str(path), "metadata": {}}]}


def executor_input(tmp_path, batch, baseline, parameters):
    sources = {
        "examples": ("Dataset", batch / "examples"),
        "snapshot": ("Artifact", batch / "snapshot"),
        "baseline": ("Model", baseline),
    }
    inputs = {name: port(kind, name, path) for name, (kind, path) in sources.items()}
    outputs = {name: port(kind, name, tmp_path / "out" / name) for name, kind in OUTPUTS.items()}
    return {
        "inputs": {"parameterValues": parameters, "artifacts": inputs},
        "outputs": {
            "outputFile": str(tmp_path / "executor_output.json"),
            "parameters": {"Output": {"outputFile": str(tmp_path / "Output")}},
            "artifacts": outputs,
        },
    }


def run_door(tmp_path, batch, baseline, **parameters):
    """Run the door as a task container does: its source as text, by KFP's own executor."""
    (tmp_path / "door.py").write_text(shipped_source())
    task = executor_input(tmp_path, batch, baseline, parameters)
    command = [
        sys.executable, "-m", "kfp.dsl.executor_main", "--component_module_path", str(tmp_path / "door.py"),
        "--executor_input", json.dumps(task), "--function_to_execute", "data_validation",
    ]  # fmt: skip
    environment = {**os.environ, "_KFP_RUNTIME": "true", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def batch_with_a_long_tail(workshop):
    """More distinct texts than TFDV's own sketch keeps in a fixed order."""
    splits = workshop.splits()
    for split, columns in splits.items():
        columns["tail"] = [f"N{at}" for at in range(workshop.rows[split])]
    splits["train"] = {name: 5 * values for name, values in splits["train"].items()}
    splits["train"]["tail"] = [f"N{at * 7919 % 1999}" for at in range(len(splits["train"]["tail"]))]
    return workshop.write(splits, {**workshop.kinds, "tail": "string"})


def test_the_door_returns_the_verdict_and_the_bytes_that_any_process_writes(workshop, tmp_path):
    batch = batch_with_a_long_tail(workshop)
    done = run_door(tmp_path, batch, workshop.no_baseline(), label="is_late", options={"min_rows": 20.0})
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "executor_output.json").read_text())
    assert told["parameterValues"]["Output"] is True
    metadata = {name: each["artifacts"][0]["metadata"] for name, each in told["artifacts"].items()}
    assert metadata["statistics"] == {"rows_train": 2000, "rows_eval": 100, "rows_test": 100}
    assert metadata["anomalies"] == {"errors": 0, "warnings": 0}
    here = workshop.validate(batch).folder
    for name in ("statistics", "schema", "anomalies"):
        assert content_digest(tmp_path / "out" / name) == content_digest(here / name)
    assert (tmp_path / "out" / "report").read_bytes() == (here / "report.html").read_bytes()


def test_a_bad_batch_ends_the_door_well_with_false_and_its_report(workshop, tmp_path):
    splits = workshop.splits()
    splits["train"]["is_late"] = [None] * workshop.rows["train"]
    done = run_door(tmp_path, workshop.write(splits), workshop.no_baseline(), label="is_late", options={})
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "executor_output.json").read_text())
    assert told["parameterValues"]["Output"] is False
    assert told["artifacts"]["anomalies"]["artifacts"][0]["metadata"]["errors"] == 1
    assert "IS NOT NULL" in (tmp_path / "out" / "report").read_text()
    assert not read_verdict(tmp_path / "out" / "anomalies").passed


def test_a_broken_input_ends_the_door_with_one_line_and_code_2(workshop, tmp_path):
    batch = workshop.write(workshop.splits())
    done = run_door(tmp_path, batch, workshop.no_baseline(), label="is_late", options={"max_drif": 0.2})
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last == "error: unknown key `max_drif` — parameter `validation` — did you mean `max_drift`?"
    assert "Traceback" not in done.stderr
    assert not [each for each in (tmp_path / "out").rglob("*") if each.is_file()]

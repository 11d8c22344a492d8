"""What docs/kubeflow.md says about the SDK, done with it."""

import json
import os
import re
import runpy
import subprocess
from pathlib import Path

from pipelines.build import Build
from pipelines.compiling.package import compile_pipeline
from pipelines.local.reading import read_package

DOCS = Path(__file__).parents[3] / "docs" / "kubeflow.md"


def test_run_is_begun_by_the_sdk_and_looked_at_by_the_command(millrace, kubeflow, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    file = compile_pipeline("training", Build(), tmp_path / "dist")
    plan = read_package(file)
    kubeflow.api.play(plan, ("SUCCEEDED", {"ingest": ("SUCCEEDED", 10, 25, 1)}))
    script = tmp_path / "begin.py"
    script.write_text(code.replace("http://localhost:8080", kubeflow.url))
    runpy.run_path(str(script))
    (run,) = kubeflow.api.runs.values()
    assert run["service_account"] == "millrace-run"
    assert run["runtime_config"]["parameters"]["label"] == "price"
    assert "training" in millrace("runs").out
    assert "==> ingest (succeeded, 15 s) <==" in millrace("logs", run["run_id"]).out
    tree = json.loads(millrace("lineage", run["run_id"], "--json").out)
    leaves = {leaf["uri"] for node in tree["made_from"] for leaf in node["made_from"] if "uri" in leaf}
    assert leaves == {"s3://mlpipeline/data/houses.csv"}


def test_command_of_the_guide_is_accepted(millrace, kubeflow, tmp_path):
    root = Path(__file__).parents[3]
    (text,) = re.findall(r"    (millrace submit training .*?--wait)\n", DOCS.read_text(), re.DOTALL)
    groups = ("ingestion", "validation", "modelling", "modelling-gpu", "deployment", "serving")
    lock = "".join(f"millrace/{one}: registry.example/{one}@sha256:{'0' * 64}\n" for one in groups)
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "images.lock").write_text(lock)
    for name in ("pipelines", "manifests"):
        (tmp_path / name).symlink_to(root / name)
    shell = ["bash", "-c", f'millrace() {{ printf "%s\\0" "$@"; }}; {text}']
    said = subprocess.run(
        shell, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    words = said.stdout.split("\0")[:-1]
    place = words.index("--host")
    del words[place : place + 2]
    ended = millrace(*words)
    assert (ended.code, ended.err.count("error")) == (0, 0), ended.err
    (run,) = kubeflow.api.runs.values()
    assert run["runtime_config"]["parameters"]["sources"]["flights"].startswith("s3://")

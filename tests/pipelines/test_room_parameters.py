"""What a run hands to the rooms is checked before anything runs: each mistake is named, and ends with 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.common.errors import BadInputError
from pipelines.room_parameters import check_room_parameters
from tests.typed import MILLRACE

ROOT = Path(__file__).parents[2]

MISTAKES = [
    ("deploy.target=kserve", "pods cannot fetch it there — parameter `deploy.target` — got 'kserve'"),
    ("deploy.target=manifest", "pods cannot fetch it there — parameter `deploy.target` — got 'manifest'"),
    (
        "query=SELECT * FORM t",
        'no SQL: Parser Error: syntax error at or near "t" — parameter `query`, line 1',
    ),
    ("query=DROP TABLE t", "must be one SELECT — parameter `query` — got 'DROP TABLE t'"),
    (
        "validation.checks.old={sql: selec 1}",
        'syntax error at or near "selec" — parameter `validation.checks`, check `old`, line 1',
    ),
    ("validation.checks.old=select 1; select 2", "must be one SELECT"),
    ("validation.max_drfit=1", "unknown key `max_drfit` — parameter `validation` — did you mean `max_d"),
    ("validation.max_drift=2", "`0 <= max_drift <= 1` must hold"),
    ("ingestion.delimiter=ab", "`delimiter` must be one character"),
    ("split.fractions.train=0.9", "each of"),
    ("transform.hash_buckets=1", "`hash_buckets >= 2` must hold"),
    (
        "training.objectives=[auk]",
        "unknown key `auk` — parameter `training.objectives` — did you mean `auc`?",
    ),
    ("training={constraints: {latency: {max: 1}}}", "did you mean `latency_ms`"),
    ("training.threads_per_trial=0", "`threads_per_trial >= 1` must hold"),
    ("evaluation.golden_rows=1", "`golden_rows >= 4` must hold"),
    ("deploy.target=moon", "`target in"),
    ("search_space.unit=3", "unknown key `unit` — parameter `search_space` — did you mean `units`?"),
    ("search_space.units.low=3", "neither a range nor choices — search_space.units"),
    ("trials=0", "`1 <= trials <= 1000` must hold — parameter `trials` — got 0"),
    ("trials=1e4", "`1 <= trials <= 1000` must hold — parameter `trials` — got 10000"),
    ("sampler=magic", "known samplers: random"),
    ("seed=-1", "a seed must be a whole number"),
    ("thresholds.aucc.min=1", "unknown key `aucc`"),
    ("thresholds.auc.min=high", "must be a finite number"),
    ("slices=[[a, a]]", "a slice must be a column or a pair"),
    ("features.city=hsh", "unknown encoding — parameter `features.city` — got 'hsh' — one of drop,"),
    ("features.city.siz=3", "unknown key `siz` — parameter `features.city` — did you mean `size`?"),
    ("features.city.size=0", "`size >= 1` must hold — parameter `features.city`"),
    ("task=ranking", "unknown task — parameter `task` — got 'ranking'"),
    ("model_name=No Name", "not a model name — parameter `model_name`"),
    ("baseline_uri=/nowhere/at/all", "no model lies there — parameter `baseline_uri`"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a compiled package of ours, so that each run need not compile it."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run([*MILLRACE, "compile", "training", "--out", str(home)], check=True, cwd=ROOT)
    return home


@pytest.fixture
def run(home, monkeypatch):
    """Run the package in this process, as the command line does."""
    from pipelines.request import Request, prepared

    def run_settings(*settings: str, params: Path | None = None) -> None:
        request = Request(
            pipeline=str(home / "training.yaml"), settings=["sources=rows.csv", "label=y", *settings],
            params=params, root=home / "runs",
        )  # fmt: skip
        with prepared(request):
            raise AssertionError("nothing was refused")

    return run_settings


@pytest.mark.parametrize(("setting", "said"), MISTAKES)
def test_mistake_in_a_parameter_is_named_before_anything_runs(run, home, setting, said):
    with pytest.raises(BadInputError) as caught:
        run(setting)
    assert said in str(caught.value)
    assert not (home / "runs").exists()


def test_command_ends_with_2_and_one_line(home):
    command = [*MILLRACE, "run", "training.yaml", "-p", "sources=a.csv", "-p", "label=y"]
    ended = subprocess.run(
        [*command, "-p", "validation.max_drfit=1"], capture_output=True, text=True, cwd=home,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "validation" in ended.stderr
    assert not (home / "runs").exists()


def test_exponents_are_numbers_behind_p_and_in_a_file(run, tmp_path):
    (tmp_path / "p.yaml").write_text("validation: {max_drift: 1e-2, max_skew: -5.e+1}\n")
    with pytest.raises(BadInputError, match=r"max_skew=-50\.0"):
        run(params=tmp_path / "p.yaml")
    with pytest.raises(BadInputError, match=r"must be a whole number.*`trials`.*got 1\.5"):
        run("trials=15e-1")


def test_missing_parameter_file_is_named_once(run, tmp_path):
    with pytest.raises(BadInputError) as caught:
        run(params=tmp_path / "gone.yaml")
    assert str(caught.value) == f"file cannot be read: No such file or directory — {tmp_path / 'gone.yaml'}"


def test_what_is_served_on_a_cluster_is_promoted_and_rolled_back_by_runs_here():
    check_room_parameters({"model_name": "m", "deploy": {"target": "kserve"}})
    with pytest.raises(BadInputError, match="pods cannot fetch it there"):
        check_room_parameters({"model_uri": ".", "deploy": {"target": "kserve"}})
    check_room_parameters({"model_uri": "s3://b/m", "deploy": {"target": "kserve"}}, on_cluster=True)


def test_defaults_are_no_mistake():
    check_room_parameters({})
    check_room_parameters(
        {"trials": 4, "sampler": "random", "seed": 0, "search_space": {}, "thresholds": {}}
    )


def test_metrics_are_those_of_the_task_once_it_is_said():
    asked = {"training": {"objectives": ["mse"]}}
    check_room_parameters(asked)
    with pytest.raises(BadInputError, match="unknown key `mse`"):
        check_room_parameters({**asked, "task": "binary"})


def test_pipeline_that_is_none_of_ours_is_named():
    from pipelines.build import Build
    from pipelines.compiling.package import compile_pipeline

    with pytest.raises(BadInputError, match=r"no such pipeline — got 'trainig' — did you mean"):
        compile_pipeline("trainig", Build(), Path())


def test_checking_loads_no_heavy_library():
    code = "import sys, pipelines.room_parameters; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    loaded = {name.partition(".")[0] for name in said.stdout.split()}
    assert loaded.isdisjoint(
        {"duckdb", "keras", "kfp", "numpy", "optuna", "pandas", "pyarrow", "tensorflow"}
    )

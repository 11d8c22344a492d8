"""`millrace init` on a small table: the file that it writes runs as it is."""

import csv
import json
import random
from pathlib import Path

import pytest

from components.common.artifacts import read_evaluation, read_transform
from pipelines.build import read_yaml
from tests.typed import millrace


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a table of 400 rows whose label follows a rule with some noise."""
    folder = tmp_path_factory.mktemp("home")
    chance = random.Random(5)  # noqa: S311 - no secret, and it must repeat
    with (folder / "shop.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["order", "amount", "country", "returned"])
        for number in range(400):
            amount, country = chance.uniform(1, 100), chance.choice(["se", "no", "dk"])
            risk = amount / 100 + (0.3 if country == "dk" else 0.0)
            returned = "yes" if risk + chance.gauss(0, 0.15) > 0.65 else "no"
            writer.writerow([f"O{number:05d}", round(amount, 2), country, returned])
    yield folder
    millrace("stop", cwd=folder)


@pytest.fixture(scope="module")
def written(home):
    settings = ["-p", "validation.columns.amount.severities={drift: warning}"]
    ended = millrace("init", "shop.csv", "--label", "returned", *settings, cwd=home)
    assert ended.returncode == 0, ended.stderr
    return home / "returned.yaml"


def run_folder(home: Path) -> Path:
    return max((home / "runs" / "training").iterdir())


def test_the_file_tells_what_the_rooms_found(written, home):
    """Nothing is inferred twice: the oracle is what the transform and evaluation wrote."""
    outputs = json.loads((run_folder(home) / "run.json").read_text())["outputs"]
    summary = read_transform(Path(outputs["transform"]["transform_graph"]["uri"]))
    reference = read_evaluation(Path(outputs["evaluate"]["evaluation"]["uri"])).comparisons["reference"]
    text, found = written.read_text(), read_yaml(written.read_text())
    assert found["task"] == summary.task == "binary"
    for column, why in summary.dropped.items():
        assert f"{column} " in text
        assert f"left out: {why}" in text
    assert found["validation"] == {"columns": {"amount": {"severities": {"drift": "warning"}}}}
    half = (reference["metrics"]["auc"]["low"] + 0.5) / 2
    assert found["thresholds"]["auc"]["min"] == pytest.approx(half, abs=5e-4)


def test_the_file_runs_as_it_is_and_its_data_are_not_read_and_validated_again(written, home):
    ended = millrace("run", "training", "--json", "--params", written.name, cwd=home)
    run = json.loads(ended.stdout)
    assert (ended.returncode, run["state"]) == (0, "SUCCEEDED"), run.get("error", run)
    assert run["endpoint"]["name"] == "returned"
    tasks = json.loads((Path(run["directory"]) / "run.json").read_text())["tasks"]
    cached = {task["name"] for task in tasks if task["cache_hit"]}
    assert {"ingest", "data-validation"} <= cached


def test_a_file_that_exists_is_never_overwritten(home):
    (home / "mine.yaml").write_text("label: mine\n")
    ended = millrace("init", "shop.csv", "--label", "returned", "--out", "mine.yaml", cwd=home)
    assert ended.returncode == 2
    assert "the file exists already" in ended.stderr.splitlines()[-1]
    assert (home / "mine.yaml").read_text() == "label: mine\n"


def test_an_unknown_label_is_told_with_the_nearest_column(home):
    ended = millrace("init", "shop.csv", "--label", "retuned", cwd=home)
    assert ended.returncode == 2
    assert "did you mean `returned`?" in ended.stderr.splitlines()[-1]
    assert not (home / "retuned.yaml").exists()


def test_a_setting_of_what_is_found_out_is_refused(home):
    ended = millrace("init", "shop.csv", "--label", "returned", "--out", "x.yaml", "-p", "seed=3", cwd=home)
    assert ended.returncode == 2
    assert "unknown key `seed` — option -p" in ended.stderr


def test_a_table_that_is_not_there_is_told(home):
    ended = millrace("init", "absent.csv", "--label", "y", cwd=home)
    assert ended.returncode == 2
    assert "absent.csv" in ended.stderr
    assert not (home / "y.yaml").exists()

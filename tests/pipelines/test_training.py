"""The whole line on a small table: from a CSV to a model that answers, and every way to be refused."""

import csv
import json
import math
import os
import random
import signal
import subprocess
import threading
import time
import urllib.request
from datetime import date, timedelta
from pathlib import Path

import pytest

from components.common.artifacts import read_evaluation, read_transform
from components.common.golden import read_golden_requests
from pipelines.execution import Request, execute
from tests.typed import millrace

TRIAL = ["-p", "trials=1", "-p", "search_space.epochs=40", "-p", "search_space.batch_size=64"]


def write_houses(file: Path, *, without: str | None = None) -> None:
    """Prices that follow a known rule of area, quarter and day of sale, with noise of 5 (thousands)."""
    chance = random.Random(3)  # noqa: S311 - no secret, and it must repeat
    rows = []
    for number in range(1_500):
        quarter, area = chance.choice(["north", "south", "harbour"]), chance.uniform(30, 200)
        sold = date(2024, 1, 1) + timedelta(days=chance.randrange(700))
        price = 2 * area + {"north": 0, "south": 50, "harbour": 120}[quarter] + 10 * math.sin(sold.month)
        rows.append(
            {
                "house": f"H{number:05d}",
                "area": round(area, 1),
                "rooms": max(1, int(area // 30)),
                "quarter": quarter if number % 17 else "",
                "sold": sold.isoformat(),
                "price": round(price + chance.gauss(0, 5), 2),
            }
        )
    names = [name for name in rows[0] if name != without]
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def train(home: Path, table: Path, *more: str) -> tuple[int, dict]:
    settings = ["-p", f"sources={table}", "-p", "label=price", "-p", "model_name=houses", *TRIAL, *more]
    ended = millrace("run", "training", "--json", "--root", str(home / "runs"), *settings)
    assert ended.stdout.startswith("{"), ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def ask(url: str, row: dict) -> float:
    names = {"area": "FP32", "rooms": "INT64"}
    inputs = [
        {"name": name, "datatype": names.get(name, "BYTES"), "shape": [1], "data": [value]}
        for name, value in row.items()
        if value is not None
    ]
    body = json.dumps({"inputs": inputs}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)["outputs"][0]["data"][0]


def endpoints(home: Path) -> list[dict]:
    return json.loads(millrace("endpoints", "--json", "--root", str(home / "runs")).stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("home")
    write_houses(folder / "houses.csv")
    yield folder
    millrace("stop", "--root", str(folder / "runs"))


@pytest.fixture(scope="module")
def first(home: Path) -> dict:
    code, run = train(home, home / "houses.csv")
    assert (code, run["state"]) == (0, "SUCCEEDED"), run
    return run


def test_sources_and_a_label_are_enough(first: dict):
    evaluation = read_evaluation(Path(first["outputs"]["evaluate"]["evaluation"]["uri"]))
    summary = read_transform(Path(first["outputs"]["transform"]["transform_graph"]["uri"]))
    assert summary.task == "regression"
    assert "house" in summary.dropped  # an identifier: as many values as rows
    assert {feature["column"] for feature in summary.features} >= {"area", "quarter", "sold"}
    # The rule leaves noise of variance 25 in prices of variance near 12,600: an R² of 0.99 is to be found.
    assert evaluation.metrics["r2"]["value"] > 0.95


def test_the_endpoint_answers_what_was_recorded_when_it_was_judged(first: dict):
    recorded = read_golden_requests(Path(first["outputs"]["evaluate"]["golden_requests"]["uri"]))
    for row in recorded[:5]:
        answer = ask(first["endpoint"]["url"], row["inputs"])
        assert answer == pytest.approx(row["outputs"]["prediction"], rel=1e-5)


def test_the_lineage_of_the_run_ends_at_the_bytes_of_the_table(first: dict, home: Path):
    told = millrace("lineage", first["run_id"], "--json", "--root", str(home / "runs")).stdout
    digest = subprocess.run(
        ["sha256sum", home / "houses.csv"], capture_output=True, text=True
    ).stdout.split()[0]
    assert f'"sha256": "{digest}"' in told


def test_the_same_again_is_cached_and_the_endpoint_is_asked_again(first: dict, home: Path):
    code, again = train(home, home / "houses.csv")
    record = json.loads((Path(again["directory"]) / "run.json").read_text())
    fresh = {task["name"] for task in record["tasks"] if not task["cache_hit"]}
    assert (code, fresh) == (0, {"resolve-sources", "resolve-baseline", "deploy-model"})
    assert again["endpoint"]["revision"] == first["endpoint"]["revision"]
    assert again["endpoint"]["golden_requests"] > 0


def test_a_dead_endpoint_is_started_anew(first: dict, home: Path):
    supervisor = json.loads((home / "runs" / "serving" / "supervisor.json").read_text())
    os.kill(supervisor["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while endpoints(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert endpoints(home) == []
    code, again = train(home, home / "houses.csv")
    assert code == 0
    [serving] = endpoints(home)
    assert (serving["name"], serving["url"]) == ("houses", again["endpoint"]["url"])
    assert serving["model_digest"] == first["endpoint"]["model_digest"]


@pytest.mark.faults
def test_a_second_model_is_released_by_steps_under_traffic_and_no_request_fails(home: Path):
    """By parameters alone: the same command as ever, and `deploy`."""
    _, first = train(home, home / "houses.csv")
    [endpoint] = endpoints(home)
    rows = read_golden_requests(Path(first["outputs"]["evaluate"]["golden_requests"]["uri"]))
    ended, answers, failures = threading.Event(), [], []

    def send() -> None:
        while not ended.wait(0.01):
            for row in rows:
                try:
                    answers.append(ask(endpoint["url"], row["inputs"]))
                except OSError as error:
                    failures.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        knobs = {"steps": "[50,100]", "interval_seconds": 1, "min_requests": 20, "max_latency_ratio": 50}
        settings = [f"deploy.{name}={value}" for name, value in knobs.items()]
        code, second = train(home, home / "houses.csv", *(part for one in settings for part in ("-p", one)),
                             "-p", "search_space.epochs=50")  # fmt: skip
    finally:
        ended.set()
        sender.join()
    assert code == 0, second
    assert failures == []
    assert len(answers) > 100
    [after] = endpoints(home)
    assert after["revision"] != endpoint["revision"]
    assert after["weights"] == {after["revision"]: 100}
    log = millrace("logs", second["run_id"], "deploy-model", "--root", str(home / "runs")).stdout
    assert f"is no worse than {endpoint['revision']} at 50 %" in log


def test_a_batch_that_lost_a_column_stops_before_anything_is_trained(first: dict, home: Path):
    write_houses(home / "broken.csv", without="area")
    code, run = train(home, home / "broken.csv")
    assert (code, run["state"]) == (3, "REFUSED")
    assert "`area`" in run["error"]
    assert "transform" not in run["outputs"]
    folder = Path(run["directory"])
    assert (folder / "report.html").exists()
    assert "area" in (folder / "reports" / "data-validation.html").read_text()
    assert endpoints(home)[0]["model_digest"] == first["endpoint"]["model_digest"]


def test_a_weak_model_is_not_deployed(first: dict, home: Path):
    code, run = train(home, home / "houses.csv", "-p", "thresholds={r2: {min: 0.9999}}")
    assert (code, run["state"]) == (3, "REFUSED")
    assert "r2" in run["error"]
    assert run["endpoint"] is None
    assert endpoints(home)[0]["model_digest"] == first["endpoint"]["model_digest"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["-p", "sources=x.csv"], "required parameter `label` is missing"),
        (["-p", "sources=x.csv", "-p", "labl=price"], "did you mean `label`?"),
        (["-p", "sources=x.csv", "-p", "label=price", "-p", "trials=many"], "parameter `trials`"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2_before_anything_runs(settings, message, tmp_path: Path):
    ended = millrace("run", "training", "--root", str(tmp_path / "runs"), *settings)
    assert ended.returncode == 2
    assert message in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "runs").exists()


def test_a_run_that_fails_leaves_no_supervisor_that_serves_nothing(tmp_path: Path):
    settings = ["-p", "sources=absent.csv", "-p", "label=price"]
    assert millrace("run", "training", "--root", str(tmp_path / "runs"), *settings).returncode == 2
    assert not (tmp_path / "runs" / "serving" / "supervisor.json").exists()


def test_ctrl_c_before_the_run_begins_is_told_in_json(tmp_path: Path, monkeypatch, capsys):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.execution.run_request", interrupt)
    assert execute(Request(pipeline="training", root=tmp_path), as_json=True) == 130
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["run_id"]) == ("CANCELLED", None)


def test_a_file_that_is_not_there_is_named_by_the_run(tmp_path: Path):
    settings = ["-p", "sources=absent.csv", "-p", "label=price", "-p", "deploy.target=none"]
    ended = millrace("run", "training", "--json", "--root", str(tmp_path / "runs"), *settings)
    run = json.loads(ended.stdout)
    assert (ended.returncode, run["state"]) == (2, "FAILED")
    assert "absent.csv" in run["error"]

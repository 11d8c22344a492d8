"""A model of a user's operation that no twin may have: judged, and served by TensorFlow unasked."""

import csv
import json
import random
import urllib.request

import pytest

from components.common.artifacts import read_evaluation, read_model_record
from components.common.golden import read_golden_requests
from tests.typed import millrace

REASON = "operation `StaticRegexReplace` is not on the list"
MODULE = """
import tensorflow as tf

def preprocessing_fn(inputs):
    letters = tf.strings.regex_replace(inputs["tail"], "[0-9]+", "")
    return {"letters": tf.strings.length(letters)}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run of the whole line; the label is the number of letters, and some noise."""
    folder = tmp_path_factory.mktemp("home")
    draw = random.Random(3)  # noqa: S311 - no secret, and it must repeat
    with (folder / "planes.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["tail", "letters"])
        for _ in range(300):
            count = draw.randrange(1, 6)
            writer.writerow([f"{'N' * count}{draw.randrange(100, 999)}", count + draw.random()])
    (folder / "mine.py").write_text(MODULE)
    settings = [
        f"sources={folder / 'planes.csv'}", "label=letters", "model_name=planes", "trials=1",
        f"module_uri={folder / 'mine.py'}", "search_space.epochs=1", "evaluation.reference_rows=0",
    ]  # fmt: skip
    parameters = [word for setting in settings for word in ("-p", setting)]
    ended = millrace("run", "training", "--root", folder / "runs", *parameters)
    yield folder, ended
    millrace("stop", "--root", folder / "runs")


@pytest.fixture(scope="module")
def model(home):
    """The complete model."""
    folder, ended = home
    assert ended.returncode == 0, ended.stderr
    (found,) = (folder / "runs" / "training").glob("*/artifacts/evaluate/*/evaluated_model")
    return found


def test_model_evaluation_report_and_card_say_why(model):
    assert read_model_record(model).twin == {"reason": REASON}
    assert read_evaluation(model).twin["reason"] == REASON
    for page in (model.parent / "report", model / "model_card.md"):
        assert f"It is served by TensorFlow: {REASON}." in page.read_text()


def test_what_the_terminal_shows_says_why(home, model):
    folder, ended = home
    assert f"twin       none, TensorFlow serves: {REASON}\n" in ended.stdout
    assert ", engine tensorflow, " in ended.stdout
    (line,) = millrace("endpoints", "--root", folder / "runs").stdout.splitlines()[1:]
    assert line.split()[0::2][:2] == ["planes", "tensorflow"]


def test_the_server_answers_by_tensorflow_and_says_why(home, model):
    folder, _ = home
    (endpoint,) = json.loads(millrace("endpoints", "--json", "--root", folder / "runs").stdout)
    with urllib.request.urlopen(endpoint["url"].removesuffix("/infer")) as answer:  # noqa: S310 - loopback
        assert json.load(answer)["parameters"] == {"engine": "tensorflow", "reason": REASON}
    log = folder / "runs" / "serving" / "logs" / f"planes-{endpoint['revision']}.log"
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    (loaded,) = [line for line in lines if line["event"] == "model is loaded"]
    assert (loaded["engine"], loaded["reason"]) == ("tensorflow", REASON)
    row = read_golden_requests(model)[0]
    tensor = {"name": "tail", "datatype": "BYTES", "shape": [1], "data": [row["inputs"]["tail"]]}
    request = urllib.request.Request(endpoint["url"], json.dumps({"inputs": [tensor]}).encode())  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        found = json.load(answer)["outputs"][0]["data"][0]
    assert found == pytest.approx(row["outputs"]["prediction"], rel=1e-5)

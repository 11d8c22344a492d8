"""The page: complete for every task and outcome, self-contained, and escaped."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from components.evaluation.config import EvaluationConfig

VOID = {"meta", "br", "rect", "line", "polyline", "circle"}


class Balance(HTMLParser):
    """Collects tags that are opened and not closed, and addresses that a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.fetched = [], [], []

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)


def read_page(world):
    world.run()
    page = (world.out / "report.html").read_text()
    balance = Balance()
    balance.feed(page)
    assert (balance.open, balance.wrong, balance.fetched) == ([], [], [])
    assert "<script" not in page
    assert not re.search(r"(?<![a-z])nan(?![a-z])|None", page)
    return page


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        ("binary", ["ROC curve", "Precision and recall", "Calibration", "Confusion", "DeLong", "AUC"]),
        (
            "multiclass",
            [
                "Calibration",
                "Confusion",
                "Each class against the others",
                "Labels of the test split",
                "Log loss",
            ],
        ),
        ("regression", ["Predicted and observed", "Error quantiles", "Errors", "R²"]),
    ],
)
def test_every_task_has_its_figures(make_world, task, parts):
    world = make_world(task)
    world.slices = ["carrier"]
    world.config = EvaluationConfig(groups=["carrier"])
    world.set_baseline(task=task, weight=0.5)
    page = read_page(world)
    for part in [
        *parts,
        "Is the model good enough? Blessed.",
        "Against the model that serves now",
        "Slices that were asked for",
        "Against a constant and a reference",
        "Weakest by themselves",
        "What it looks at",
        "Between groups",
    ]:
        assert part in page


def test_a_refusal_shows_verdict_reason_and_failed_check(make_world):
    world = make_world()
    world.thresholds = {"auc": {"min": 0.99}}
    page = read_page(world)
    assert 'class="pill bad">not blessed' in page
    assert "but wanted at least 0.99" in page
    assert 'class="pill bad">failed' in page
    assert "There is no baseline yet" in page


def test_a_model_that_answers_nan_still_has_a_page(make_world):
    assert "Nothing can be measured" in read_page(make_world(missing=math.nan))


def test_a_perfect_regression_of_one_value_still_has_a_page(make_world):
    world = make_world("regression", weight=0.0)
    world.set_table(pa.table({"distance": [1.0] * 20, "carrier": ["ZZ"] * 20, "late": [0.0] * 20}))
    assert "Errors" in read_page(world)


def test_an_obstacle_is_shown(make_world):
    world = make_world()
    world.set_baseline(label="early")
    assert "Not comparable: the baseline predicts" in read_page(world)


def test_values_of_the_data_are_escaped(make_world):
    world = make_world()
    table = pa.table({"distance": [1.0, -1.0] * 60, "carrier": ["<b>x"] * 120, "late": [1, 0] * 60})
    world.set_table(table)
    world.slices = ["carrier"]
    page = read_page(world)
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page

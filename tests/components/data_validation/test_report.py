import re
from html.parser import HTMLParser

import numpy as np


class Page(HTMLParser):
    """The text of a page, the addresses it would fetch and how often each tag stands in it."""

    def __init__(self, html):
        super().__init__()
        self.text, self.fetched, self.tags, self.open = "", [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def page_of(outcome):
    return Page((outcome.folder / "report.html").read_text())


def test_the_page_shows_verdict_rows_and_every_column_and_fetches_nothing(workshop):
    page = page_of(workshop.validate(workshop.write(workshop.splits())))
    assert "clean (no baseline yet)" in page.text
    assert "None: every rule holds." in page.text
    for shown in ("400", "100", *workshop.kinds):
        assert shown in page.text
    assert page.fetched == []
    assert "script" not in page.tags


def test_the_page_shows_findings_and_the_baseline_beside_the_batch(workshop):
    baseline = workshop.baseline_of(workshop.splits())
    splits = workshop.splits(1)
    splits["train"]["distance"] = [1609 * each for each in splits["train"]["distance"]]
    outcome = workshop.validate(workshop.write(splits), baseline)
    page = page_of(outcome)
    assert "This batch stops before training: 1 error, 2 warnings." in page.text
    text = re.sub(r"\s+", " ", page.text)
    assert "distance drifted from the baseline" in text
    assert re.search(r"Example — median: \d+\.?\d* in the baseline, \d+\.?\d*e?\+?\d* now", text)
    assert page.tags.count("path") == 9  # eval, test and baseline over distance, seats and day
    assert "day: a date" in text  # among what is not compared, and why


def test_the_page_shows_what_belongs_together_and_why_a_column_is_not_compared(workshop):
    splits = workshop.splits()
    for columns in splits.values():
        columns["miles"] = [2 * each for each in columns["distance"]]
    kinds = {**workshop.kinds, "miles": "float"}
    page = page_of(workshop.validate(workshop.write(splits, kinds)))
    text = re.sub(r"\s+", " ", page.text)
    assert re.search(r"distance and miles ?r = 1.00", text)
    assert "Not compared" in text


def test_names_and_values_from_the_data_are_escaped(workshop):
    splits = workshop.splits()
    for columns in splits.values():
        columns["carrier"] = ["<script>alert(1)</script>" if c == "UA" else c for c in columns["carrier"]]
    page = page_of(workshop.validate(workshop.write(splits)))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.text


def test_odd_columns_have_a_page_too(workshop):
    splits = workshop.splits()
    for split, columns in splits.items():
        rows = workshop.rows[split]
        columns["distance"] = [np.inf, -np.inf, np.nan, 1e308, -1e308] * (rows // 5)
        columns["seats"] = [None] * rows
        columns["day"] = [""] * rows
    page = page_of(workshop.validate(workshop.write(splits)))
    assert "No values to draw." in page.text
    assert "(empty text)" in page.text or "No values to draw." in page.text

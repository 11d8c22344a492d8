"""The page: every column is on it, with what it became or why it was left out."""

import html
import re

import pytest

from tests.components.transform.conftest import KINDS, run


def text_of(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.S)))


@pytest.fixture(scope="module")
def page(houses, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    features = {
        "street": {"encoding": "category", "size": 5},
        "rooms": "number",
        "metres": {"clip_share": 0},
    }
    run(houses, out, features=features)
    return (out / "report.html").read_text(encoding="utf-8")


def test_every_column_and_every_feature_is_told(page):
    text = text_of(page)
    assert not [column for column in KINDS if column not in text]
    assert "size (m²)/flat.number number size (m²)/flat.missing number a float mean" in text
    assert "town string town.index index of 5 a string, 3 distinct values 3 values" in text
    assert "street string street.index index of 7 asked for 5 values, the most frequent" in text
    assert "built.days number a date days since 1970: mean" in text


def test_what_was_left_out_is_told_with_the_reason(page):
    text = text_of(page)
    assert "country is constant in the train split" in text
    assert "id looks like an identifier: 100% of its values are distinct" in text
    assert "empty has no value in the train split" in text


def test_clipping_and_what_to_look_at_are_told(page):
    text = text_of(page)
    assert re.search(
        r"price float price\.number number a float mean [\d,.]+, deviation [\d,.]+, clipped to", text
    )
    assert not re.search(r"metres\.number number [^:]{0,80}clipped", text)
    assert "street has 40 distinct values; only the 5 most frequent have an index" in text


def test_the_page_needs_no_network_and_no_script(page):
    assert not re.search(r"<script|src=|href=|url\(|@import", page)

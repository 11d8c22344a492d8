"""Which files there are, handed on in one parameter, be they ten thousand."""

import json
import os

import pytest

from components.common.errors import BadInputError, UnavailableError
from components.ingestion import carry
from components.ingestion.carry import LARGEST, carry_files, recall_files
from components.ingestion.resolve import resolve_files
from components.ingestion.stores import FoundFile


def through_kfp(value):
    """As KFP carries a parameter: through JSON, every number a double."""
    return json.loads(json.dumps(value), parse_int=float)


@pytest.fixture
def many(tmp_path):
    """Ten thousand files, and what names them."""
    for number in range(10_000):
        (tmp_path / f"day-{number:05d}.csv").write_bytes(b"x\n1\n")
    return {"days": str(tmp_path / "day-*.csv")}


@pytest.fixture
def folded(tmp_path, monkeypatch):
    """Three files that are carried as if they were thousands."""
    monkeypatch.setattr(carry, "LARGEST", 300)
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text("x\n1\n")
    return {"t": str(tmp_path / "*.csv")}


def test_few_files_are_a_list_that_comes_back_though_numbers_are_doubles():
    found = {"t": [FoundFile(uri="/a.csv", bytes=4, identity="17", partition={"year": "2013"})]}
    carried = carry_files(found)
    assert carried == {
        "t": [{"uri": "/a.csv", "bytes": 4, "identity": "17", "partition": {"year": "2013"}}]
    }
    assert recall_files({"t": "a.csv"}, through_kfp(carried)) == found


def test_what_belongs_to_other_sources_or_is_no_list_of_files_is_refused(folded):
    with pytest.raises(BadInputError, match="unknown key `flight`"):
        recall_files({"flights": "a.csv"}, {"flight": []})
    for wrong in ([{"url": "/a.csv"}], {"files": 3}):
        with pytest.raises(BadInputError, match="not a list of files"):
            recall_files(folded, {"t": wrong})


def test_ten_thousand_files_are_handed_on_in_half_an_argument_and_found_again(many):
    found = resolve_files(many)
    assert len(found["days"]) == 10_000
    carried = carry_files(found)
    assert len(json.dumps(carried)) <= LARGEST
    assert carried["days"]["files"] == 10_000
    assert recall_files(many, through_kfp(carried)) == found
    assert carry_files(resolve_files(many)) == carried  # or a cache would never answer


def test_files_that_came_since_are_left_out(folded, tmp_path):
    found = resolve_files(folded)
    carried = carry_files(found)
    (tmp_path / "b2.csv").write_text("x\n2\n")
    assert recall_files(folded, carried) == found
    assert carry_files(resolve_files(folded)) != carried


@pytest.mark.parametrize("what", ["grown", "touched", "gone"])
def test_a_file_that_is_not_what_was_found_is_called_changed(folded, tmp_path, what):
    carried = carry_files(resolve_files(folded))
    file = tmp_path / "b.csv"
    if what == "grown":
        file.write_text("x\n1\n2\n")
    elif what == "touched":
        os.utime(file, ns=(1, 1))
    else:
        file.unlink()
    with pytest.raises(UnavailableError, match=r"source changed: 2 of its 3 files .* — sources\.t"):
        recall_files(folded, through_kfp(carried))
    assert carry_files(resolve_files(folded)) != carried


def test_a_database_beside_many_files_is_not_asked_for_again(folded, tmp_path):
    sources = {**folded, "shop": {"uri": "sqlite:////no/shop.db", "query": "SELECT 1"}}
    found = resolve_files(sources)
    assert recall_files(sources, carry_files(found)) == found


def test_more_files_than_can_be_told_are_refused_with_how_many_can():
    def source(count):
        return {"t": [FoundFile(uri=f"s3://b/{n}.csv", identity=str(n), bytes=1) for n in range(count)]}

    assert carry_files(source(12_000))["t"]["files"] == 12_000
    with pytest.raises(
        BadInputError, match=r"told of — parameter `sources` — got 13000 — .* some 12,288 fit"
    ):
        carry_files(source(13_000))

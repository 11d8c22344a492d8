"""A record's target is held by the ratio when there is a peer, else by our own number."""

import json

import pytest

from benchmarks import run
from benchmarks.record import judge, unjudged
from components.common.errors import BadInputError


@pytest.mark.parametrize(
    ("ours", "peer", "at", "bound", "met", "target"),
    [
        (4.0, None, "most", 5.0, True, "ours <= 5"),
        (5.1, None, "most", 5.0, False, "ours <= 5"),
        (0.75, 0.70, "least", 1.0, True, "ratio >= 1"),
        (0.69, 0.70, "least", 1.0, False, "ratio >= 1"),
        (1.0, 10.0, "most", 0.5, True, "ratio <= 0.5"),
        (float("nan"), None, "most", 5.0, False, "ours <= 5"),
        (float("nan"), 1.0, "least", 1.0, False, "ratio >= 1"),
    ],
)
def test_target_is_met_or_not(ours, peer, at, bound, met, target):
    record = judge("x", ours, peer=peer, at=at, bound=bound, conditions={})
    assert (record.met, record.target) == (met, target)


def test_peer_of_zero_is_refused():
    with pytest.raises(ValueError, match="peer > 0"):
        judge("x", 1.0, peer=0.0, at="least", bound=1.0, conditions={})


def test_measure_is_kept_with_its_machine(tmp_path, monkeypatch):
    (tmp_path / "measures").mkdir()
    monkeypatch.setattr(run, "HERE", tmp_path)
    outcome = judge("two", 2.0, peer=4.0, at="most", bound=1.0, conditions={"unit": "seconds"})
    module = type("module", (), {"measure": staticmethod(lambda: outcome)})
    monkeypatch.setattr(run.importlib, "import_module", lambda name: module)
    run.run_measure("two")
    kept = json.loads((tmp_path / "records" / "two.json").read_text())
    assert set(kept) == {"name", "ours", "peer", "ratio", "target", "met", "conditions"}
    assert (kept["ratio"], kept["met"], kept["conditions"]["unit"]) == (0.5, True, "seconds")
    assert kept["conditions"]["cores"] >= 1


def test_unknown_measure_is_named_and_the_nearest_suggested(capsys):
    assert run.main(["cached_runs"]) == 2
    assert "did you mean `cached_run`?" in capsys.readouterr().err


def test_table_shows_a_measure_without_a_peer():
    record = judge("cached_run", 3.25, at="most", bound=5, conditions={"unit": "seconds"})
    assert run.table([record]).splitlines()[-1].split("|")[1:-1] == [
        " cached_run ", " 3.25 ", " –    ", " –     ", " ours <= 5 ", " yes ", " seconds ",
    ]  # fmt: skip


def test_peer_that_cannot_run_here_leaves_the_target_open():
    record = unjudged("x", 1.0, bound="ratio <= 0.1", reason="no Python 3.10", conditions={})
    assert (record.met, record.peer) == (None, None)
    assert "*peer not run here*" in run.table([record])
    assert record.conditions["peer_not_run"] == "no Python 3.10"


def test_name_chooses_its_measure_or_its_family():
    assert run.chosen(["ingestion"]) == ["ingestion"]
    assert {"whole_run_tfx", "whole_run_plain"} < set(run.chosen(["whole_run"]))
    assert run.chosen([]) == run.measures()
    with pytest.raises(BadInputError, match="whole_rum"):
        run.chosen(["whole_rum"])

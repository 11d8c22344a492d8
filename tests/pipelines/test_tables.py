"""Tables and trees are whole: nothing that one would copy is cut."""

import io
from pathlib import Path

from rich.console import Console

from pipelines.comparison_table import comparison_table
from pipelines.local.changes import Difference, TaskChange
from pipelines.local.clean import Cleaning, Item
from pipelines.local.compare import Comparison
from pipelines.tables import cleaning_table, endpoint_table, lineage_tree, run_table, size_text


def shown(renderable) -> str:
    console = Console(width=500, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_runs_stand_in_a_table_with_the_reason():
    runs = [
        {"run_id": "r2", "pipeline": "training", "state": "REFUSED", "seconds": 3.21, "error": "halt: no"},
        {
            "run_id": "r1",
            "pipeline": "training",
            "state": "DAMAGED",
            "seconds": None,
            "error": "run.json: bad",
        },
    ]
    lines = [line.strip().split(maxsplit=4) for line in shown(run_table(runs)).splitlines()]
    assert lines[1] == ["r2", "training", "REFUSED", "3.2", "halt: no"]
    assert lines[2][:3] == ["r1", "training", "DAMAGED"]


def test_nothing_to_show_says_what_to_do():
    assert "millrace run training" in shown(run_table([]))
    assert "no model" in shown(endpoint_table([]))


def test_an_address_is_never_cut():
    url = "http://127.0.0.1:8080/v2/models/" + "m" * 63 + "/infer"
    found = {"name": "m" * 63, "revision": "abc", "model_digest": "ef" * 32, "url": url}
    assert url in shown(endpoint_table([found]))


def test_endpoints_name_the_engine_of_what_has_requests():
    revisions = [
        {"engine": "twin", "weight": 90}, {"engine": "tensorflow", "weight": 10},
        {"engine": "auto", "weight": 0},
    ]  # fmt: skip
    found = [
        {"name": "both", "revision": "abc", "state": "ready", "url": "u", "revisions": revisions},
        {"name": "one", "revision": "def", "state": "ready", "url": "u", "revisions": revisions[:1]},
    ]
    lines = [line.split(maxsplit=2) for line in shown(endpoint_table(found)).splitlines()[1:]]
    assert [rest.split("ready")[0].strip() for *_, rest in lines] == ["tensorflow, twin", "twin"]


def test_lineage_is_a_tree_with_paths_below_the_root():
    source = {"kind": "source", "name": "flights", "uri": "/data/f.csv", "sha256": "12" * 32}
    snapshot = {
        "kind": "artifact",
        "name": "snapshot",
        "uri": "/r/t/s",
        "task": "ingest",
        "made_from": [source],
    }
    again = {"kind": "artifact", "name": "snapshot", "uri": "/r/t/s", "repeated": True}
    text = shown(lineage_tree({"kind": "run", "name": "r1", "made_from": [snapshot, again]}, Path("/r")))
    assert "snapshot  ingest  t/s" in text
    assert "flights  121212121212  /data/f.csv" in text
    assert "snapshot  (see above)" in text


def test_sizes_are_in_words():
    assert [size_text(count) for count in (0, 999, 1_000, 2_500_000, 7e9)] == [
        "0 B", "999 B", "1.0 kB", "2.5 MB", "7.0 GB",
    ]  # fmt: skip


def test_cleaning_tells_what_goes_what_stays_and_the_sum():
    item = Item(path=Path("/r/t/r1"), run_id="r1", bytes=1_500_000)
    found = Cleaning(
        items=(item, Item(path=Path("/r/cache/k.json"), run_id=None, bytes=500)), kept={"r0": "it serves"}
    )
    text = " ".join(shown(cleaning_table(found, removed=False)).split())
    assert "r1 1.5 MB r0 stays it serves" in text
    assert text.endswith("1.5 MB would be freed; `--yes` removes it")
    assert shown(cleaning_table(Cleaning(items=(), kept={}), removed=True)).strip() == "0 B freed"


def test_runs_stand_side_by_side_with_what_differs():
    metric = {"value": 0.8, "low": 0.7, "high": 0.9}
    better = {"value": 0.85, "low": 0.75, "high": 0.95}
    found = Comparison(
        runs=(
            {"run_id": "r1", "pipeline": "p", "state": "SUCCEEDED", "seconds": 1.0},
            {"run_id": "r2", "pipeline": "p", "state": "FAILED", "seconds": 2.0},
        ),
        parameters=[Difference("trials", 4, None)],
        data=[],
        metrics=[Difference("auc", metric, better), Difference("r2", metric, None)],
        tasks=[
            TaskChange("train", "SUCCEEDED", "SUCCEEDED", ["input schema"]),
            TaskChange("ingest", "SUCCEEDED", "SUCCEEDED", []),
            TaskChange("deploy", "SUCCEEDED", None, []),
        ],
    )
    lines = [" ".join(line.split()) for line in shown(comparison_table(found)).splitlines()]
    assert "trials 4 –" in lines
    assert "Data: neither run has read any" in lines
    assert "auc 0.8000 [0.7000, 0.9000] 0.8500 [0.7500, 0.9500] +0.05 (intervals overlap)" in lines
    assert "r2 0.8000 [0.7000, 0.9000] – –" in lines
    assert lines[-2:] == ["train SUCCEEDED SUCCEEDED input schema", "deploy SUCCEEDED –"]


def test_tree_downwards_shows_addresses():
    endpoint = {"kind": "artifact", "name": "endpoint", "uri": "/r/e", "url": "http://h/v2"}
    text = shown(
        lineage_tree({"kind": "source", "name": "a", "uri": "/a.csv", "led_to": [endpoint]}, Path("/r"))
    )
    assert "endpoint  http://h/v2  e" in text

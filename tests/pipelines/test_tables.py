"""Tables and trees are whole: nothing that one would copy is cut."""

import io
from pathlib import Path

from rich.console import Console

from pipelines.tables import endpoint_table, lineage_tree, run_table


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

"""The whole line on a small table gives the same bytes with warm parents and without."""

import random

import pytest

from pipelines.build import Build
from pipelines.compiling.package import compile_pipeline
from pipelines.local.events import Notice, PassedOver
from pipelines.local.runner import run_package


@pytest.fixture
def table(tmp_path):
    chance, lines = random.Random(3), ["area,quarter,price"]  # noqa: S311 - no secret, and it must repeat
    for _ in range(800):
        area, quarter = chance.uniform(30, 200), chance.choice(["north", "south", "harbour"])
        lines.append(f"{area:.1f},{quarter},{2 * area + 9 * len(quarter) + chance.gauss(0, 40):.2f}")
    file = tmp_path / "houses.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def run(folder, table, *, fresh):
    package = compile_pipeline("training", Build(), folder)
    parameters = {
        "sources": {"houses": str(table)}, "label": "price", "trials": 2, "deploy": {"target": "none"},
        "search_space": {"epochs": 3, "batch_size": 64},
    }  # fmt: skip
    events = []
    result = run_package(
        package, parameters, root=folder / "runs", use_cache=False, fresh=fresh, on_event=events.append
    )
    assert {type(event) for event in events if isinstance(event, Notice)} == {PassedOver}
    return result


def digests(result):
    found = {}
    for task, ports in result.outputs.items():
        for port, values in ports.items():
            for number, value in enumerate(values if isinstance(values, list) else [values]):
                found[task, port, number] = value.get("digest") if isinstance(value, dict) else value
    return found


def test_forked_and_fresh_runs_give_equal_digests(tmp_path, table):
    (tmp_path / "forked").mkdir()
    (tmp_path / "fresh").mkdir()
    forked = run(tmp_path / "forked", table, fresh=False)
    fresh = run(tmp_path / "fresh", table, fresh=True)
    assert forked.state == fresh.state
    found, expected = digests(forked), digests(fresh)
    assert {task for task, _, _ in found} >= {"data-validation", "transform", "train-trials", "evaluate"}
    for of_run in (found, expected):
        of_run.pop(("deploy-model", "endpoint", 0))  # it says where in the run's folder the model is
    assert found == expected

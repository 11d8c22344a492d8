"""Random graphs: every step once, with the right values, after all that it depends on."""

import pytest

from tests.pipelines.local.conformance.graphs import IMPORTED, as_pipeline, kinds, random_graph
from tests.pipelines.local.conformance.interpreter import interpret

SEEDS = (1, 4, 6, 9, 16, 19)  # few steps, and together every kind of node


@pytest.mark.parametrize("seed", SEEDS)
def test_random_graph_does_what_an_interpreter_says(run, tmp_path, seed):
    nodes = random_graph(seed)
    expected = interpret(nodes)
    log, imported = tmp_path / "log", tmp_path / "imported"
    imported.write_text(str(IMPORTED))
    result = run(as_pipeline(seed, nodes), log=str(log), uri=str(imported), use_cache=False)
    assert result.state == "SUCCEEDED", result.error
    lines = log.read_text().splitlines()
    began = {line.removesuffix(" began"): at for at, line in enumerate(lines) if line.endswith("began")}
    ended = {line.removesuffix(" ended"): at for at, line in enumerate(lines) if line.endswith("ended")}
    assert len(lines) == 2 * len(began) == 2 * len(ended)  # each once
    assert set(began) == set(expected)  # with the right values: they stand in the lines
    for line, before in expected.items():
        assert all(ended[earlier] < began[line] for earlier in before), line


def test_random_graphs_hold_every_kind_of_node():
    found = set().union(*(kinds(random_graph(seed)) for seed in SEEDS))
    words = {"Step", "Stored", "Branch", "Repeat", "Nested", "importer", "elif", "fields", "empty list"}
    assert found == words

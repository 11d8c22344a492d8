"""Random graphs: every step once, with the right values, after all that it depends on."""

import pytest

from tests.pipelines.local.conformance.graphs import as_pipeline, interpret, random_graph


@pytest.mark.parametrize("seed", range(6))
def test_random_graph_does_what_an_interpreter_says(run, tmp_path, seed):
    nodes = random_graph(seed)
    value, expected = interpret(nodes)
    log = tmp_path / "log"
    result = run(as_pipeline(seed, nodes), log=str(log), use_cache=False)
    assert result.state == "SUCCEEDED", result.error
    assert result.returned == {"Output": value}
    lines = log.read_text().splitlines()
    began = {line.removesuffix(" began"): at for at, line in enumerate(lines) if line.endswith("began")}
    ended = {line.removesuffix(" ended"): at for at, line in enumerate(lines) if line.endswith("ended")}
    assert len(lines) == 2 * len(began) == 2 * len(ended)  # each once
    assert set(began) == set(expected)
    for line, before in expected.items():
        assert all(ended[earlier] < began[line] for earlier in before), line

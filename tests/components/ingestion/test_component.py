import inspect
import json
import struct

import pytest
from kfp import dsl

from components.common.artifacts import read_snapshot
from components.ingestion.component import ingest, resolve_sources


def carried(value):
    """As KFP carries a parameter: through JSON, every number a double."""
    return json.loads(json.dumps(value), parse_int=float)


@pytest.fixture
def ports(tmp_path):
    snapshot, examples = dsl.Artifact(), dsl.Dataset()
    snapshot.path, examples.path = str(tmp_path / "run" / "snapshot"), str(tmp_path / "run" / "examples")
    return {"snapshot": snapshot, "examples": examples}


def test_doors_pass_files_on_and_say_what_they_made(write, many, ports, tmp_path):
    sources = {"t": str(write("t.csv", many))}
    identities = resolve_sources.python_func(sources=sources)
    split = {"by": "time", "column": "id", "eval_from": 300, "test_from": 350}
    ingest.python_func(
        sources=sources,
        identities=carried(identities),
        query="SELECT id, word FROM t",
        split=carried(split),
        **ports,
    )
    snapshot = read_snapshot(tmp_path / "run" / "snapshot")
    assert ports["snapshot"].metadata == {"version": snapshot.version, "sources": 1, "rows": 400}
    assert ports["examples"].metadata == {
        "rows_train": 300, "rows_eval": 50, "rows_test": 50, "version": snapshot.version,
    }  # fmt: skip
    assert snapshot.split == split


def test_identities_fit_through_doubles_without_loss(write):
    [file] = resolve_sources.python_func(sources={"t": str(write("t.csv", "a\n1\n"))})["t"]
    assert set(file) == {"uri", "bytes", "identity", "partition"}
    assert isinstance(file["identity"], str)
    assert struct.unpack("d", struct.pack("d", file["bytes"]))[0] == file["bytes"]


def test_bad_input_ends_the_task_with_one_line_and_code_2(ports, capsys, tmp_path):
    with pytest.raises(SystemExit) as caught:
        resolve_sources.python_func(sources={"t": str(tmp_path / "no.csv")})
    assert caught.value.code == 2
    assert (
        capsys.readouterr().err.splitlines()[-1].startswith("error: file does not exist — sources.t — got ")
    )


def test_changed_source_ends_the_task_with_code_4(write, ports, capsys):
    path = write("t.csv", "a\n1\n")
    sources = {"t": str(path)}
    identities = resolve_sources.python_func(sources=sources)
    path.write_text("a\n1\n2\n")
    with pytest.raises(SystemExit) as caught:
        ingest.python_func(sources=sources, identities=identities, **ports)
    assert caught.value.code == 4
    assert "source changed" in capsys.readouterr().err


def test_files_by_the_thousand_are_read_as_a_few_are(tmp_path, ports, monkeypatch):
    for number in range(40):
        (tmp_path / f"{number:02d}.csv").write_text(f"a\n{number}\n")
    sources = {"t": str(tmp_path / "*.csv")}
    monkeypatch.setattr("components.ingestion.carry.LARGEST", 1000)
    identities = resolve_sources.python_func(sources=sources)
    assert set(identities["t"]) == {"files", "digest", "tags"}
    ingest.python_func(sources=sources, identities=carried(identities), **ports)
    snapshot = read_snapshot(tmp_path / "run" / "snapshot")
    assert [len(snapshot.sources["t"]), sum(snapshot.rows.values())] == [40, 40]


def test_mistyped_knob_is_refused_before_anything_is_read(capsys):
    with pytest.raises(SystemExit):
        resolve_sources.python_func(sources={"t": "/no/such.csv"}, options={"null_value": []})
    assert "did you mean `null_values`?" in capsys.readouterr().err


def test_doors_have_the_ports_that_the_pipeline_calls():
    assert list(inspect.signature(resolve_sources.python_func).parameters) == [
        "sources",
        "options",
        "allowed_hosts",
    ]
    spec = ingest.component_spec
    assert set(spec.inputs) == {"sources", "identities", "query", "split", "options", "allowed_hosts"}
    assert {name: output.type for name, output in spec.outputs.items()} == {
        "snapshot": "system.Artifact@0.0.1",
        "examples": "system.Dataset@0.0.1",
    }

import json
import os
from dataclasses import asdict
from itertools import pairwise

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.common.artifacts import read_snapshot
from components.common.errors import BadInputError, UnavailableError
from components.common.storage import content_digest, file_digest
from components.ingestion import ingest as work
from components.ingestion.config import IngestionConfig
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from components.ingestion.split import SplitRule


def test_snapshot_says_which_data_this_is(run, write, many):
    path = write("t.csv", many)
    made = run({"t": path})
    assert read_snapshot(made.examples.parent / "snapshot") == made.snapshot
    assert made.snapshot.sources == {
        "t": [{"uri": str(path), "bytes": len(many), "sha256": file_digest(path)}]
    }
    assert made.snapshot.split == {
        "by": "hash",
        "key": None,
        "fractions": {"train": 0.8, "eval": 0.1, "test": 0.1},
    }
    assert made.snapshot.columns == {"id": "integer", "size": "float", "word": "string"}
    assert made.snapshot.query is None


def test_touched_file_is_the_same_artifact_byte_for_byte(run, write, many):
    path = write("t.csv", many)
    before = run({"t": path})
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    after = run({"t": path})
    folders = [made.examples.parent / "snapshot" / "snapshot.json" for made in (before, after)]
    assert folders[0].read_bytes() == folders[1].read_bytes()


def test_every_row_arrives_once(run, write, many):
    made = run({"t": write("t.csv", many)})
    rows = sorted(made.rows(), key=lambda row: row["id"])
    words = ("ant", "bee", "cat")
    assert rows == [{"id": n, "size": n / 8, "word": words[n % 3]} for n in range(400)]


def test_bytes_and_version_do_not_depend_on_names_times_order_or_threads(
    run, write, many, tmp_path, monkeypatch
):
    header, *lines = many.splitlines(keepends=True)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write("one/a.csv", header + "".join(lines[:100]))
    write("one/b.csv", header + "".join(lines[100:]))
    first = run({"t": tmp_path / "one" / "*.csv"})
    write("two/x.csv", header + "".join(lines[100:]))
    write("two/y.csv", header + "".join(lines[:100]))
    os.utime(tmp_path / "two" / "x.csv", ns=(1, 1))
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda name: connect(name, config={"threads": 5}))
    second = run({"other_name": tmp_path / "two" / "*.csv"})
    assert content_digest(first.examples) == content_digest(second.examples)
    assert first.snapshot.version == second.snapshot.version


def test_groups_of_rows_have_the_same_bounds_whatever_the_threads(run, write, monkeypatch):
    path = write("t.csv", "n,m\n" + "".join(f"{n},{n % 7}\n" for n in range(260_000)))
    connect = duckdb.connect
    digests = set()
    for threads in (1, 2, 7):
        monkeypatch.setattr(duckdb, "connect", lambda name, n=threads: connect(name, config={"threads": n}))
        digests.add(content_digest(run({"t": path}).examples))
    assert len(digests) == 1


def test_rows_are_shuffled(run, write, many):
    ids = run({"t": write("t.csv", many)}).table("train")["id"].to_pylist()
    rises = sum(after > before for before, after in pairwise(ids))
    assert (
        0.4 < rises / len(ids) < 0.6
    )  # half of the neighbours rise in a random order; all in a sorted one


def test_version_changes_with_content_query_rule_and_reading(run, write, many):
    path = write("t.csv", many)
    other = write("u.csv", many.replace("ant", "owl"))
    versions = [
        run({"t": path}).snapshot.version,
        run({"t": other}).snapshot.version,
        run({"t": path}, "SELECT * FROM t").snapshot.version,
        run({"t": path}, "SELECT * FROM t WHERE id > 3").snapshot.version,
        run({"t": path}, split={"key": ["id"]}).snapshot.version,
        run({"t": path}, null_values=["ant"]).snapshot.version,
        run({"t": path}, types={"id": "string"}).snapshot.version,
        run({"t": path, "u": other}, "SELECT * FROM t").snapshot.version,
        run({"t": other, "u": path}, "SELECT * FROM t").snapshot.version,
    ]
    assert len(set(versions)) == len(versions)


def test_defaults_written_out_are_the_same_version(run, write, many):
    path = write("t.csv", many)
    spelled = {"by": "hash", "fractions": {"test": 0.1, "train": 0.8, "eval": 0.1}}
    assert (
        run({"t": path}).snapshot.version
        == run({"t": path}, split=spelled, null_values=["NA", ""]).snapshot.version
    )


def test_source_that_changes_before_or_while_it_is_read_is_refused_and_nothing_is_written(
    write, many, tmp_path, monkeypatch
):
    path = write("t.csv", many)
    found = resolve_files({"t": str(path)})
    target = {"examples": tmp_path / "examples", "snapshot": tmp_path / "snapshot"}
    arguments = (read_sources({"t": str(path)}), found, SplitRule(), IngestionConfig())

    write_splits = work.write_splits

    def write_and_touch(*inputs):
        written = write_splits(*inputs)
        path.write_text(many + "400,1.5,dog\n")
        return written

    monkeypatch.setattr(work, "write_splits", write_and_touch)
    for _ in range(2):  # the second time it has changed before
        with pytest.raises(UnavailableError, match=r"source changed during the run — .*t\.csv"):
            work.ingest_sources(*arguments, query=None, **target)
        assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_header_only_file_beside_others_is_taken_when_allowed(run, write, tmp_path):
    write("a.csv", "x,y\n1,2\n")
    write("b.csv", "x,y\n")
    assert run({"t": tmp_path / "?.csv"}).rows() == [{"x": 1, "y": 2}]
    with pytest.raises(
        BadInputError, match=r"no rows — .*b\.csv — leave it out, or set `ingestion\.allow_empty"
    ):
        run({"t": tmp_path / "?.csv"}, allow_empty=False)


def test_no_rows_at_all_make_three_empty_files_when_allowed(run, write):
    made = run({"t": write("t.csv", "x,y\n")})
    assert made.snapshot.rows == {"train": 0, "eval": 0, "test": 0}
    assert made.rows() == []


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_hundreds_of_columns_are_read_in_little_memory(suffix, run, write):
    names = [f"x{at}" for at in range(300)]
    row = {name: at for at, name in enumerate(names)}
    lines = {
        "csv": [",".join(names), *[",".join(map(str, row.values()))] * 3],
        "jsonl": [json.dumps(row)] * 3,
    }
    made = run({"t": write(f"t.{suffix}", "\n".join(lines[suffix]) + "\n")}, memory_mib=128)
    assert made.rows() == [row] * 3


def test_second_run_over_its_own_output_replaces_it(write, many, tmp_path):
    sources = {"t": str(write("t.csv", many))}
    inputs = (read_sources(sources), resolve_files(sources), SplitRule(), IngestionConfig())
    target = {"examples": tmp_path / "examples", "snapshot": tmp_path / "snapshot"}
    first = work.ingest_sources(*inputs, query=None, **target)
    digest = content_digest(tmp_path / "examples")
    (tmp_path / "examples" / "train" / "part-00009.parquet").write_text("left by nobody knows whom")
    second = work.ingest_sources(*inputs, query=None, **target)
    assert (first, digest) == (second, content_digest(tmp_path / "examples"))
    assert json.dumps(asdict(first)) == json.dumps(asdict(second))


@pytest.mark.parametrize("name", ["#split", "#ORDER", "#result"])
def test_column_with_a_name_of_ours_is_refused(name, run, write):
    path, query = write("t.csv", f"{name},b\n1,2\n3,4\n"), 'SELECT "@" AS a, b FROM t'
    with pytest.raises(BadInputError, match=f"a name kept for the split.*got '{name}'"):
        run({"t": path})
    assert run({"t": path}, query=query.replace("@", name)).rows() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_declared_kind_of_no_text_column_is_refused(run, write, tmp_path):
    text, lines = write("t.csv", "zip,b\n1,2\n"), write("u.jsonl", '{"day": "2024-01-01"}\n')
    pq.write_table(pa.table({"n": [1]}), tmp_path / "v.parquet")
    sources = {"t": text, "u": lines, "v": tmp_path / "v.parquet"}
    run(sources, query="FROM t", types={"zip": "string", "day": "string"})
    for name, fix in (("zipp", "did you mean `zip`"), ("n", "known keys: b, day, zip")):
        with pytest.raises(BadInputError, match=f"unknown key `{name}` — ingestion.types — {fix}"):
            run(sources, query="FROM t", types={name: "string"})


def test_glob_over_partitions_reads_the_values_in_folders_names_as_the_folder_does(run, tmp_path, capsys):
    for year in ("2013", "2014"):
        (tmp_path / f"part/y={year}").mkdir(parents=True)
        pq.write_table(pa.table({"a": [int(year[-1])]}), tmp_path / f"part/y={year}/x.parquet")
        (tmp_path / f"part/y={year}/x.csv").write_text("a\n1\n2\n")
    by_glob, by_folder = run({"t": f"{tmp_path}/part/*/*.parquet"}), run({"t": f"{tmp_path}/part"})
    assert by_glob.rows() == [{"a": 3, "y": 2013}, {"a": 4, "y": 2014}]
    assert by_glob.snapshot.version == by_folder.snapshot.version
    assert capsys.readouterr().out == ""
    assert set(run({"t": f"{tmp_path}/part/y=*/*.csv"}).snapshot.columns) == {"a"}
    assert "sources.t: `y` in folders' names are no columns" in capsys.readouterr().out

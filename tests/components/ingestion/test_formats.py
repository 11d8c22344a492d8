"""Formats beside CSV: each is read strictly, and by the library that writes it as oracle."""

import datetime
import gzip
import io
import json
import zipfile

import fastavro
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from components.common.errors import BadInputError
from components.ingestion import unpack

TABLE = pa.table({
    "n": pa.array([1, None], pa.int32()),
    "x": [0.5, 2.0],
    "s": ["é", None],
    "b": [True, False],
    "day": [datetime.date(2024, 2, 29), None],
})  # fmt: skip
ROWS = [
    {"n": 1, "x": 0.5, "s": "é", "b": 1, "day": "2024-02-29"},
    {"n": None, "x": 2.0, "s": None, "b": 0, "day": None},
]


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_json_lines_have_the_types_that_json_writes(suffix, run, write):
    text = lines(
        {"n": 1, "x": 0.5, "s": "007", "b": True, "day": "2024-02-29", "at": "2024-02-29T01:02:03+02:00"},
        {"s": None, "n": -2, "x": 3, "b": False, "extra": "ü"},
    )
    content = gzip.compress(text.encode()) if suffix else text
    made = run({"t": write(f"t.jsonl{suffix}", content)})
    assert made.snapshot.columns == {
        "at": "timestamp", "b": "boolean", "day": "date", "extra": "string", "n": "integer", "s": "string",
        "x": "float",
    }  # fmt: skip
    one = {
        "at": "2024-02-28T23:02:03",
        "b": 1,
        "day": "2024-02-29",
        "extra": None,
        "n": 1,
        "s": "007",
        "x": 0.5,
    }
    two = {"at": None, "b": 0, "day": None, "extra": "ü", "n": -2, "s": None, "x": 3.0}
    assert made.rows() == sorted([one, two], key=repr)


def test_nested_json_is_for_the_query_to_take_apart(run, write):
    path = write("t.jsonl", lines({"id": 1, "tags": ["a", "b"], "who": {"age": 7}}, {"id": 2, "who": {}}))
    with pytest.raises(BadInputError, match="column `tags` is of a type that is not kept"):
        run({"t": path})
    query = "SELECT id, (who ->> '$.age')::BIGINT AS age, json_array_length(tags) AS tags FROM t"
    assert run({"t": path}, query).rows() == [
        {"id": 1, "age": 7, "tags": 2},
        {"id": 2, "age": None, "tags": None},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": 2\n{"a": 3}\n', r"not a line of JSON: .* — .*t\.jsonl:2"),
        ('{"a": 1}\n[1]\n', r"a line must hold one JSON object — .*t\.jsonl:2"),
        ('{"a": 1}\n{"a": NaN}\n', r"holds integer values but for 1 of 2 — .*t\.jsonl:2 — got 'NaN'"),
        ('{"a": 1}\n\n{"a": 1, "a": 2}\n', r"the key `a` stands twice — .*t\.jsonl:3"),
        ('{"a": 1, "A": 2}\n', r"duplicate column names: A, a"),
        (
            '{"a": 1}\n{"a": 2}\n{"a": "3"}\n',
            r"column `a` holds integer values but for 1 of 3 — .*:3 — got '\"3\"'",
        ),
        (
            '{"a": "x"}\n{"a": "y"}\n{"a": 3}\n',
            r"column `a` holds string values but for 1 of 3 — .*t\.jsonl:3",
        ),
        ('{"a": 1}\n{"a": 2}\n{"a": 9223372036854775808}\n', r"but for 1 of 3 — .*t\.jsonl:3"),
        ('{"a": 1}\n{"a": 2}\n{"a": 99999999999999999999999}\n', r"but for 1 of 3 — .*t\.jsonl:3"),
        (
            '{"a": 0.5}\n{"a": 1}\n{"a": NaN}\n',
            r"holds float values but for 1 of 3 — .*t\.jsonl:3 — got 'NaN'",
        ),
        ('{"a": 0.5}\n{"a": 1.5}\n{"a": -1e999}\n', r"but for 1 of 3 — .*t\.jsonl:3 — got '-1e999'"),
        ('{"a": true}\n{"a": false}\n{"a": 0}\n', r"column `a` holds boolean values but for 1 of 3"),
    ],
)
def test_defect_in_json_lines_is_named_with_its_line(text, message, run, write):
    with pytest.raises(BadInputError, match=message):
        run({"t": write("t.jsonl", text)})


def test_declared_kind_of_json_is_kept_or_refused(run, write):
    path = write("t.jsonl", lines({"a": 1, "d": "2024-01-01"}, {"a": 2, "d": "2024-01-02"}))
    assert run({"t": path}, types={"a": "string", "d": "string"}).rows()[0] == {"a": "1", "d": "2024-01-01"}
    assert run({"t": path}, types={"a": "float"}).snapshot.columns["a"] == "float"
    with pytest.raises(BadInputError, match="column `d` holds integer values but for 2 of 2"):
        run({"t": path}, types={"d": "integer"})


@pytest.mark.parametrize("kind", ["feather", "stream", "avro"])
def test_arrow_and_avro_are_read_with_their_types(kind, run, tmp_path):
    path = tmp_path / ("t.avro" if kind == "avro" else "t.arrow")
    if kind == "feather":
        feather.write_feather(TABLE, path, compression="zstd")
    elif kind == "stream":
        with pa.ipc.new_stream(path, TABLE.schema) as writer:
            writer.write_table(TABLE)
    else:
        types = {"n": "int", "x": "double", "s": "string", "b": "boolean"}
        fields = [{"name": name, "type": ["null", inner]} for name, inner in types.items()]
        fields.append({"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]})
        with path.open("wb") as stream:
            schema = {"type": "record", "name": "t", "fields": fields}
            fastavro.writer(stream, schema, TABLE.to_pylist(), codec="deflate")
    assert run({"t": path}).rows() == sorted(ROWS, key=repr)


@pytest.mark.parametrize("name", ["t.arrow", "t.avro"])
def test_cut_arrow_and_avro_files_are_refused(name, run, tmp_path):
    path = tmp_path / name
    numbers = list(range(50_000))
    if name == "t.arrow":
        feather.write_feather(pa.table({"n": numbers}), path, compression="uncompressed")
    else:
        schema = {"type": "record", "name": "t", "fields": [{"name": "n", "type": "long"}]}
        with path.open("wb") as stream:
            fastavro.writer(stream, schema, [{"n": n} for n in numbers])
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(BadInputError, match=rf"not a complete (Arrow|Avro) file: .* — .*{name}"):
        run({"t": path})


def test_partitioned_folder_gives_its_values_as_columns(run, tmp_path):
    for day, town in (("2024-01-01", "a b"), ("2024-01-02", "x/y")):
        folder = tmp_path / "lake" / f"day={day}" / f"town={town.replace('/', '%2F')}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"n": [1, 2]}), folder / "part-0.parquet")
    (tmp_path / "lake" / "_SUCCESS").write_text("")
    (tmp_path / "lake" / ".hidden.parquet").write_text("no Parquet")
    made = run({"t": tmp_path / "lake"})
    assert made.snapshot.columns == {"n": "integer", "day": "date", "town": "string"}
    oracle = pq.read_table(tmp_path / "lake", partitioning="hive").to_pylist()  # Arrow's own reading
    expected = [{**row, "day": str(row["day"])} for row in oracle]
    assert made.rows() == sorted(expected, key=repr)


def test_partition_values_are_content(run, tmp_path):
    versions = set()
    for year in ("2012", "2013"):
        folder = tmp_path / f"lake-{year}" / f"year={year}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"n": [1, 2]}), folder / "a.parquet")
        versions.add(run({"t": folder.parent}).snapshot.version)
    assert len(versions) == 2


def test_column_in_files_and_in_folders_names_is_refused(run, tmp_path):
    (tmp_path / "lake" / "n=1").mkdir(parents=True)
    pq.write_table(pa.table({"n": [1]}), tmp_path / "lake" / "n=1" / "a.parquet")
    with pytest.raises(BadInputError, match="duplicate column names: n"):
        run({"t": tmp_path / "lake"})


def test_other_encodings_are_read_when_named(run, write):
    path = write("t.csv", "name,n\nJosé,1\n".encode("latin-1"))
    made = run({"t": path}, encoding="latin-1")
    assert made.rows() == [{"name": "José", "n": 1}]
    utf16 = write("u.csv", "name,n\nJosé,1\n".encode("utf-16"))
    assert run({"t": utf16}, encoding="utf-16").rows() == made.rows()
    with pytest.raises(BadInputError, match=r"not UTF-8 — .*`ingestion.encoding: utf-16`"):
        run({"t": utf16})
    with pytest.raises(BadInputError, match=r"not ascii — .*t\.csv:2, byte 10"):
        run({"t": path}, encoding="ascii")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "not text but a zip file or a spreadsheet"),
        (b"PAR1rest", "not text but a Parquet file"),
        (b"\n<!DOCTYPE HTML>\n<html>", "a web page, and no table"),
    ],
)
def test_what_is_another_kind_of_file_is_told_by_its_kind(content, message, run, write):
    with pytest.raises(BadInputError, match=rf"^{message} — .*t\.csv — got "):
        run({"t": write("t.csv", content)})


@pytest.mark.parametrize(
    ("values", "form", "read"),
    [
        ("1,5 -0,25 12,125", "numbers with a decimal comma", [1.5, -0.25, 12.125]),
        ("1,5 2 ,125", "numbers with a decimal comma", [1.5, 2.0, 0.125]),
        ("1,2,3 4", None, None),
        ("950 2,000 1,012,125.5", "numbers with commas between thousands", [950.0, 2000.0, 1012125.5]),
        (" 1;2 ; 3.5 ", "numbers between spaces", [1.0, 2.0, 3.5]),
        ("007 010", None, None),  # codes
        ("12%;3.5 %", "percentages", [12.0, 3.5]),
        ("$1.50 $2", "amounts of money", [1.5, 2.0]),
        ("01/31/2024 02/01/2024", "dates", ["2024-01-31", "2024-02-01"]),
        ("31.01.2024 1.2.2024", "dates", ["2024-01-31", "2024-02-01"]),
        ("01-02-2024", "dates, of which day and month cannot be told apart", ["2024-02-01"]),
        ("north south", None, None),
    ],
)
def test_text_that_looks_like_numbers_or_dates_is_told_with_the_sql_that_reads_it(
    values, form, read, run, write, capsys
):
    cells = values.split(";") if ";" in values else values.split()
    path = write("t.csv", "a b;n\n" + "".join(f"{cell};{at}\n" for at, cell in enumerate(cells)))
    notes = run({"t": path}).snapshot.notes
    told = capsys.readouterr().out
    if form is None:
        assert (notes, told) == ([], "")
        return
    [note] = notes
    assert (told, note.count(f"column `a b` of `t` is text, and looks like {form}: ")) == (f"{note}\n", 1)
    made = run(
        {"t": path}, query=" ".join(["SELECT", note.partition(" may read it by ")[2], "AS x, n FROM t"])
    )
    assert [row["x"] for row in sorted(made.rows(), key=lambda row: row["n"])] == read
    assert made.snapshot.notes == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "2.5", "3", "?", "4", "?", "5"], "looks like numbers but for one text, 2 times"),
        (["yes", "Yes", "no "] * 5, "some values differ in case or outer spaces only"),
        (["yes", "no"] * 5, None),
        (["ant", "Ant", "bee"], None),  # names, perhaps: hardly one occurs twice
        (["1", "a", "2", "b", "3"], None),
    ],
)
def test_text_with_a_mark_for_missing_or_spelt_in_several_ways_is_told(values, said, run, write):
    notes = run({"t": write("t.csv", "x,n\n" + "".join(f"{value},1\n" for value in values))}).snapshot.notes
    assert [said in note for note in notes] == [True] * (said is not None)


def test_byte_order_mark_is_left_out_and_noted(run, write):
    made = run({"t": write("t.csv", b"\xef\xbb\xbfname,n\nx,1\n")})
    assert made.rows() == [{"name": "x", "n": 1}]
    assert made.snapshot.sources["t"][0]["note"] == "byte order mark left out"


def test_byte_order_mark_of_json_lines_is_left_out_and_noted(run, write):
    made = run({"t": write("t.jsonl", "\ufeff" + lines({"a": 1}, {"a": 2}))})
    assert made.rows() == [{"a": 1}, {"a": 2}]
    assert made.snapshot.sources["t"][0]["note"] == "byte order mark left out"


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_span_of_time_is_refused_since_its_unit_would_be_lost(suffix, run, tmp_path):
    path, table = tmp_path / f"t.{suffix}", pa.table({"a": pa.array([1, 2], pa.duration("s"))})
    (pq.write_table if suffix == "parquet" else feather.write_feather)(table, path)
    with pytest.raises(BadInputError, match=r"column `a` is of a type that is not kept — .*duration\[s\]"):
        run({"t": path})


def test_fractions_of_a_second_are_left_out_and_told(run, write, tmp_path, capsys):
    text = write("t.csv", "seen,on\n2024-01-05 12:33:01.5,2024-01-05T00:00:00\n2024-01-05 12:33:02,\n")
    made = run({"t": text})
    told = "column `seen`: fractions of a second are left out of 1 values"
    assert (made.snapshot.notes, capsys.readouterr().out) == ([told], told + "\n")
    assert {row["seen"] for row in made.rows()} == {"2024-01-05T12:33:01", "2024-01-05T12:33:02"}
    for unit, smallest in (("ns", 1), ("us", 10**3), ("ms", 10**6)):
        moments = pa.array([smallest, 0, None], pa.timestamp("ns")).cast(pa.timestamp(unit))
        pq.write_table(pa.table({"seen": moments}), tmp_path / "t.parquet")
        assert run({"t": tmp_path / "t.parquet"}).snapshot.notes == [told]
    whole = "SELECT date_trunc('second', seen) AS seen FROM t"
    assert run({"t": text}, query=whole).snapshot.notes == []


def test_avro_time_of_day_is_for_the_query_to_cast(run, tmp_path):
    kind = {"type": "long", "logicalType": "time-micros"}
    schema = {"type": "record", "name": "r", "fields": [{"name": "t", "type": kind}]}
    with (tmp_path / "t.avro").open("wb") as stream:
        fastavro.writer(stream, schema, [{"t": datetime.time(13, 45, 1)}])
    with pytest.raises(BadInputError, match=r"column `t` is of a type that is not kept — .*TIME"):
        run({"t": tmp_path / "t.avro"})
    made = run({"t": tmp_path / "t.avro"}, "SELECT t::VARCHAR AS t FROM t")
    assert made.rows() == [{"t": "13:45:01"}]


def test_wrong_delimiter_is_refused_and_the_right_one_suggested(run, write):
    with pytest.raises(BadInputError, match=r"one column only — .*t\.csv:1 — got 'a;b' — set .* to ';'"):
        run({"t": write("t.csv", "a;b\n1;2\n")}, delimiter=",")


def test_file_that_unpacks_to_far_more_than_it_is_is_refused(run, write, monkeypatch):
    monkeypatch.setattr(unpack, "_ALWAYS_UNPACKED", 1 << 20)
    bomb = gzip.compress(b"n\n" + b"0\n" * (20 << 20))
    with pytest.raises(BadInputError, match=r"unpacks to more than \d{7} bytes — .*t\.csv\.gz"):
        run({"t": write("t.csv.gz", bomb)})


@pytest.mark.parametrize("trap", ["../t.csv", "/t.csv", "link"])
def test_zip_with_a_path_or_a_link_is_refused(trap, run, write, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo(trap)
        member.external_attr = 0o120777 << 16 if trap == "link" else 0o100644 << 16
        archive.writestr(member, "/etc/hostname" if trap == "link" else "n\n1\n")
    with pytest.raises(BadInputError, match="must hold one plain file"):
        run({"t": write("t.csv.zip", packed.getvalue())})
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["t.csv.zip"]

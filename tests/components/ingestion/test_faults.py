"""Broken files: each is refused by name and place, and nothing is written."""

import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from components.common.errors import BadInputError

LONG = "a,b\n" + "1,2\n" * 300_000  # more than one piece of a reading


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b\n1,2\n3\n4,5\n6,7,8\n",
            r"the header has 2 cells, but line 3 has 1, line 5 has 3 — .*bad\.csv",
        ),
        ("a,b\n1,2\n3", r"the header has 2 cells, but line 3 has 1"),
        ("a,b\n" + "1\n" * 9, r"line 2 has 1, line 3 has 1, line 4 has 1, line 5 has 1, line 6 has 1 — "),
        ('a,b\n1,2\n1,"x\n2,y\n', r"quotes do not match: .* — .*bad\.csv:3"),
        ('a,b\n1,"x\n2,"y"\n3,z\n', r"quotes do not match: .* — .*bad\.csv:2"),
        ("a,b\r\n1,2\n3,4\r\n", r"line ends are of two kinds — .*bad\.csv"),
        ("a,b,a\n1,2,3\n", r"duplicate column names: a — .*bad\.csv:1"),
        ("a,b,A\n1,2,3\n", r"duplicate column names: A, a — .*bad\.csv:1"),
        (",b\n1,2\n", r"column 1 has no name — .*bad\.csv:1"),
        ("\n1,2\n", r"there is no header — .*bad\.csv:1"),
        ('a,"b\n1,2\n', r"header cannot be read: .* — .*bad\.csv:1"),
        ("a,b\n", r"file has a header but no rows — .*bad\.csv"),
        ("a,b", r"file has a header but no rows — .*bad\.csv"),
        ("a,b\n1,x\0y\n", r"NUL byte in a text file — .*bad\.csv:2, byte 7"),
        (b"a,b\n1,2\n3,caf\xe9\n", r"not UTF-8 — .*bad\.csv:3, byte 13 — got b'\\xe9' — name the encoding"),
        (b"a,b\n1,2\n3,caf\xc3", r"not UTF-8 — .*bad\.csv:3, byte 13"),
        (LONG.encode() + b"\xff,1\n", rf"not UTF-8 — .*bad\.csv:300002, byte {len(LONG)}"),
        ("a,b\n1,2\n".encode("utf-16"), r"not UTF-8 — .*bad\.csv:1, byte 0"),
    ],
)
def test_defect_is_named_with_its_place(content, message, write, run, tmp_path):
    with pytest.raises(BadInputError, match=message):
        run({"t": write("bad.csv", content)}, allow_empty=False)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["bad.csv"]


def test_character_that_lies_across_two_pieces_is_text(write, run):
    head = "a\n"
    body = "x" * ((1 << 20) - len(head) - 1) + "é"
    assert run({"t": write("t.csv", f"{head}{body}\n")}).rows() == [{"a": body}]


def test_compressed_files_are_read_like_plain_ones(write, run):
    plain = "a,b\n1,é\n2,y\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", plain)
    files = {
        "a.csv": plain.encode(),
        "a.csv.gz": gzip.compress(plain.encode()),
        "a.csv.zst": zstandard.compress(plain.encode()),
        "a.csv.zip": packed.getvalue(),
    }
    for name, content in files.items():
        assert run({"t": write(name, content)}).rows() == [{"a": 1, "b": "é"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize("suffix", ["gz", "zst", "zip"])
def test_cut_compressed_file_is_refused(suffix, write, run):
    text = "a,b\n" + "".join(f"{n},{n * n * 7919 % 1_000_003}\n" for n in range(50_000))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", text)
    whole = {
        "gz": gzip.compress(text.encode()),
        "zst": zstandard.compress(text.encode()),
        "zip": packed.getvalue(),
    }
    path = write(f"cut.csv.{suffix}", whole[suffix][: len(whole[suffix]) // 2])
    with pytest.raises(BadInputError, match=rf"cut or corrupt.*cut\.csv\.{suffix}"):
        run({"t": path})


def test_zip_of_two_files_is_refused_and_lists_them(write, run):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", "a\n1\n")
        archive.writestr("../two.csv", "a\n1\n")
    with pytest.raises(
        BadInputError, match=r"must hold one plain file — .* — got \['one\.csv', '\.\./two\.csv'\]"
    ):
        run({"t": write("t.csv.zip", packed.getvalue())})


def test_cut_parquet_is_refused(run, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadInputError, match=r"not a complete Parquet file: .* — .*t\.parquet"):
        run({"t": path})


@pytest.mark.parametrize("query", [None, "SELECT * FROM t"])
@pytest.mark.parametrize("codec", ["gzip", "snappy"])
def test_parquet_with_a_damaged_page_is_told_by_its_own_name(codec, query, run, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": [str(n) for n in range(1000)]}), path, compression=codec)
    damaged = bytearray(path.read_bytes())
    damaged[100:400] = b"\xff" * 300
    path.write_bytes(damaged)
    with pytest.raises(BadInputError, match=r"file cannot be read: .* — .*t\.parquet — write") as caught:
        run({"t": path}, query)
    assert "ingest-" not in str(caught.value)


def test_whole_number_beyond_64_bits_in_parquet_is_told_without_a_query_that_was_not_given(run, tmp_path):
    pq.write_table(pa.table({"a": pa.array([2**63], pa.uint64())}), tmp_path / "t.parquet")
    with pytest.raises(BadInputError, match=r"value cannot be kept: .*out of range.* — .*t\.parquet"):
        run({"t": tmp_path / "t.parquet"})
    made = run({"t": tmp_path / "t.parquet"}, "SELECT a::VARCHAR AS a FROM t")
    assert made.rows() == [{"a": "9223372036854775808"}]


def test_zip_packed_in_a_way_that_is_not_known_is_refused(run, write):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "a\n1\n")
    content = bytearray(packed.getvalue())
    directory = content.find(b"PK\x01\x02")
    content[8:10] = content[directory + 10 : directory + 12] = b"\x09\x00"  # 9 is deflate64
    with pytest.raises(BadInputError, match=r"zip file cannot be unpacked: .* — .*t\.csv\.zip"):
        run({"t": write("t.csv.zip", bytes(content))})


def test_files_of_one_source_must_have_the_same_columns(write, run, tmp_path):
    write("a.csv", "x,y\n1,2\n")
    write("b.csv", "x,z\n1,2\n")
    with pytest.raises(BadInputError, match=r"its columns differ from those of .*a\.csv: y, z — .*b\.csv"):
        run({"t": tmp_path / "?.csv"})


def test_parquet_files_of_one_source_must_have_the_same_types(run, tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [1.5]}), tmp_path / "b.parquet")
    with pytest.raises(
        BadInputError, match=r"column `x` is double, but int64 in .*a\.parquet — .*b\.parquet"
    ):
        run({"t": tmp_path / "*.parquet"})

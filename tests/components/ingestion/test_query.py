import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.common.errors import BadInputError


@pytest.fixture
def tables(write):
    return {
        "people": write("people.csv", "id,name,town\n1,Ann,x\n2,Bob,y\n3,Cid,x\n"),
        "towns": write("towns.csv", "town,size\nx,10\ny,20\n"),
    }


def test_query_joins_sources_by_their_names(run, tables):
    query = (
        "SELECT name, size * 2 AS size FROM people JOIN towns USING (town) WHERE id <> 3; -- all but one"
    )
    assert run(tables, query).rows() == [{"name": "Ann", "size": 20}, {"name": "Bob", "size": 40}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "the query fails: Parser Error"),
        (
            "SELECT * FROM persons",
            "the query fails: Catalog Error: Table with name persons does not exist!",
        ),
        ("SELECT nam FROM people", 'the query fails: Binder Error: Referenced column "nam" not found'),
        ("SELECT CAST(name AS INTEGER) AS n FROM people", "the query fails: Conversion Error"),
        ("SELECT 1 AS a; SELECT 2 AS a", "must be one SELECT"),
        ("", "must be one SELECT"),
        ("DROP VIEW people", "must be one SELECT"),
        ("COPY people TO 'x.csv'", "must be one SELECT"),
        ("CALL duckdb_settings()", "must be one SELECT"),
        ("SELECT p.*, t.* FROM people p, towns t", "duplicate column names: town"),
        ("SELECT [1] AS a", "column `a` is of a type that is not kept"),
        ("SELECT 9223372036854775807::HUGEINT + 1 AS a", "the query fails: Conversion Error"),
    ],
)
def test_wrong_query_is_refused_with_the_first_line_of_the_database(query, message, run, tables):
    with pytest.raises(BadInputError) as caught:
        run(tables, query)
    assert message in str(caught.value)
    assert "LINE" not in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '{people}'",
        "SELECT * FROM read_csv('{folder}/*.csv')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
        "SELECT * FROM 's3://bucket/x.parquet'",
        "SELECT * FROM tables",
        "SELECT * FROM connection",
    ],
)
def test_query_reads_its_sources_and_nothing_else(query, run, tables, tmp_path, write):
    secret = write("secret.csv", "a,b\n1,2\n")
    with pytest.raises(BadInputError, match=r"Permission Error|does not exist"):
        run(tables, query.format(people=secret, folder=tmp_path))


def test_missing_and_infinite_numbers_travel_on_for_validation_to_judge(run, tables):
    query = "SELECT * FROM (VALUES (1, 'nan'::DOUBLE), (2, 'inf'::DOUBLE)) AS t(n, x) ORDER BY n"
    assert run(tables, query).rows() == [{"n": 1, "x": None}, {"n": 2, "x": float("inf")}]


def test_several_sources_need_a_query(run, tables):
    with pytest.raises(BadInputError, match="several sources and no query"):
        run(tables)


def test_parquet_types_become_the_three_that_travel_on_and_keep_their_kinds(run, tmp_path):
    zone = datetime.timezone(datetime.timedelta(hours=2))
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int8()),
            "u": pa.array([2**32 - 1, 0], pa.uint32()),
            "f": pa.array([0.5, float("nan")], pa.float32()),
            "d": pa.array([decimal.Decimal("1.25"), None], pa.decimal128(9, 2)),
            "b": pa.array([True, None]),
            "s": pa.array(["é", None]).dictionary_encode(),
            "day": pa.array([datetime.date(2024, 2, 29), None]),
            "at": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3), None], pa.timestamp("ms")),
            "zoned": pa.array(
                [datetime.datetime(2024, 2, 29, 1, tzinfo=zone), None], pa.timestamp("us", "Etc/GMT-2")
            ),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    made = run({"t": tmp_path / "t.parquet"})
    assert made.snapshot.columns == {
        "i": "integer", "u": "integer", "f": "float", "d": "float", "b": "boolean", "s": "string",
        "day": "date", "at": "timestamp", "zoned": "timestamp",
    }  # fmt: skip
    first = {
        "i": 1, "u": 2**32 - 1, "f": 0.5, "d": 1.25, "b": 1, "s": "é",
        "day": "2024-02-29", "at": "2024-02-29T01:02:03", "zoned": "2024-02-28T23:00:00",
    }  # fmt: skip
    second = {**dict.fromkeys(first), "u": 0}
    assert made.rows() == sorted([first, second], key=repr)
    schemas = {str(made.table(split).schema) for split in ("train", "eval", "test")}
    whole, real, text = ("i", "u", "b"), ("f", "d"), ("s", "day", "at", "zoned")
    types = {
        **dict.fromkeys(whole, "int64"),
        **dict.fromkeys(real, "double"),
        **dict.fromkeys(text, "string"),
    }
    assert schemas == {"\n".join(f"{name}: {types[name]}" for name in table.column_names)}


def test_column_that_pandas_wrote_without_a_value_is_empty_text(run, tmp_path):
    pq.write_table(pa.table({"n": [1, 2], "nothing": pa.nulls(2)}), tmp_path / "t.parquet")
    made = run({"t": tmp_path / "t.parquet"})
    assert made.snapshot.columns == {"n": "integer", "nothing": "string"}
    assert [row["nothing"] for row in made.rows()] == [None, None]


def test_parquet_columns_in_another_order_are_matched_by_name(run, tmp_path):
    pq.write_table(pa.table({"x": [1], "y": [2]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"y": [4], "x": [3]}), tmp_path / "b.parquet")
    assert run({"t": tmp_path / "*.parquet"}).rows() == [{"x": 1, "y": 2}, {"x": 3, "y": 4}]

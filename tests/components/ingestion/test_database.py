import duckdb
import pyarrow as pa
import pytest

from components.ingestion.database import identifier, literal, open_database


def test_variables_of_the_program_are_no_tables(tmp_path):
    secret = pa.table({"a": [1]})
    with open_database(tmp_path, []) as connection, pytest.raises(duckdb.CatalogException, match="secret"):
        connection.execute("SELECT * FROM secret").fetchall()
    assert duckdb.sql("SELECT * FROM secret").fetchall() == [(1,)]  # what would happen without the lock
    assert secret.num_rows == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SET enable_external_access = true",
        "SET threads = 1",
        "LOAD httpfs",
        "INSTALL httpfs",
        "ATTACH 'other.db'",
        "COPY (SELECT 1) TO 'out.csv'",
    ],
)
def test_nobody_can_open_it_again(statement, tmp_path):
    with open_database(tmp_path, []) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)


@pytest.mark.parametrize("text", ["a'b", 'a"b', "a;--b", "é", ""])
def test_quoted_text_comes_back_as_it_was(text, tmp_path):
    with open_database(tmp_path, []) as connection:
        name = text or "x"
        result = connection.execute(f"SELECT {literal(text)} AS {identifier(name)}")
        assert result.description[0][0] == name
        assert result.fetchall() == [(text,)]

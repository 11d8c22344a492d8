"""A file through a real endpoint; answers are held against the formula in Python floats."""

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.common.errors import BadInputError, UnavailableError
from pipelines.local.serving.predict import predict_by_model, predict_file
from tests.pipelines.local.serving import conftest as at
from tests.tiny_model import expected_probability

LINES = ["name,age,seats,carrier", "é,1.5,2,AA", '"a, b",,1,UA', "x,NA,0,never seen", "y,0.5,-4,"]
PARSED = [
    {"age": 1.5, "seats": 2, "carrier": "AA"},
    {"age": None, "seats": 1, "carrier": "UA"},
    {"age": None, "seats": 0, "carrier": "never seen"},
    {"age": 0.5, "seats": -4, "carrier": None},
]
EXPECTED = [expected_probability(row) for row in PARSED]


@pytest.fixture(scope="module")
def url(supervisor, models):
    revision = at.apply(supervisor, "tiny", models["good"])
    assert at.settle(supervisor, "tiny", revision)["state"] == "ready"
    at.weigh(supervisor, "tiny", {revision: 100})
    return supervisor.url


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        file = tmp_path / "rows.csv"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    return write


def test_csv_keeps_its_cells_and_gets_the_answers_beside_them(url, table, tmp_path):
    out = tmp_path / "out.csv"
    assert predict_file(url, "tiny", table(*LINES), out) == 4
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["name", "age", "seats", "carrier", "probability"]
    assert [row["name"] for row in rows] == ["é", "a, b", "x", "y"]
    assert [row["age"] for row in rows] == ["1.5", "", "NA", "0.5"]
    assert [float(row["probability"]) for row in rows] == pytest.approx(EXPECTED, rel=1e-6)


def test_parquet_is_read_and_written_and_many_rows_go_in_batches(url, tmp_path):
    columns = {name: [row[name] for row in PARSED] * 700 for name in ("age", "seats", "carrier")}
    pq.write_table(pa.table({**columns, "extra": [b"x"] * 2800}), tmp_path / "rows.parquet")
    out = tmp_path / "out.parquet"
    assert predict_file(url, "tiny", tmp_path / "rows.parquet", out) == 2800
    written = pq.read_table(out).to_pydict()
    assert list(written) == ["age", "seats", "carrier", "extra", "probability"]
    assert written["carrier"] == columns["carrier"]
    assert written["probability"] == pytest.approx(EXPECTED * 700, rel=1e-6)


BAD = {
    "another kind": (["age,seats", "1,2", "2,two", "3,4", "4,x"], "line 3, 5.*'two'"),
    "a fraction": (["seats", "1", "1.5"], "line 3.*'1.5'"),
    "missing where it must not be": (["seats,age", "1,1", ",1"], "line 3"),
    "what only the server sees": (["seats,age", "1,1", "1,1e39"], "line 3"),
    "too few cells": (["age,seats", "1,2", "1"], r"rows\.csv:3"),
    "quote that is not closed": (["age,seats", '"1,2'], "not readable"),
    "no rows": (["age,seats"], "no rows"),
    "no such column": (["age", "1"], "needs the columns seats"),
    "column twice": (["seats,seats", "1,1"], "duplicate"),
    "name of an output": (["seats,probability", "1,1"], "name of an output"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_rows_are_named_by_line_and_nothing_is_written(case, url, table, tmp_path):
    lines, told = BAD[case]
    with pytest.raises(BadInputError, match=told):
        predict_file(url, "tiny", table(*lines), tmp_path / "out.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rows.csv"]


def test_folder_of_a_model_answers_as_its_endpoint_without_one(url, models, table, tmp_path):
    assert predict_by_model(models["good"], table(*LINES), tmp_path / "here.csv") == 4
    predict_file(url, "tiny", table(*LINES), tmp_path / "there.csv")
    assert (tmp_path / "here.csv").read_text() == (tmp_path / "there.csv").read_text()


@pytest.mark.parametrize("case", BAD)
def test_folder_names_bad_rows_by_line_too_and_nothing_is_written(case, models, table, tmp_path):
    lines, told = BAD[case]
    with pytest.raises(BadInputError, match=told):
        predict_by_model(models["good"], table(*lines), tmp_path / "out.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rows.csv"]


def test_line_is_right_behind_a_cell_of_several_lines(url, table, tmp_path):
    lines = ["name,seats", '"two\nlines",1', "x,bad"]
    with pytest.raises(BadInputError, match="line 4"):
        predict_file(url, "tiny", table(*lines), tmp_path / "out.csv")


def test_what_cannot_be_asked_is_said(url, table, tmp_path):
    with pytest.raises(BadInputError, match="unknown model `nope`"):
        predict_file(url, "nope", table(*LINES), tmp_path / "out.csv")
    with pytest.raises(BadInputError, match=r"give a \.csv or \.parquet"):
        predict_file(url, "tiny", tmp_path / "rows.xlsx", tmp_path / "out.csv")
    with pytest.raises(BadInputError, match=r"name a \.csv or \.parquet"):
        predict_file(url, "tiny", table(*LINES), tmp_path / "out.txt")
    with pytest.raises(BadInputError, match="No such file"):
        predict_file(url, "tiny", tmp_path / "none.csv", tmp_path / "out.csv")
    with pytest.raises(UnavailableError, match="does not answer"):
        predict_file(f"http://127.0.0.1:{at.free_port()}", "tiny", table(*LINES), tmp_path / "out.csv")


def test_commands_predict_and_roll_back(url, supervisor, models, table, tmp_path, monkeypatch, capfd):
    from typer.testing import CliRunner

    from pipelines.cli import app

    root = supervisor.file.parent.parent
    monkeypatch.delenv("MILLRACE_SUPERVISOR", raising=False)
    out = tmp_path / "out.csv"
    runner = CliRunner()
    done = runner.invoke(
        app, ["predict", "tiny", str(table(*LINES)), "--out", str(out), "--root", str(root)]
    )
    assert (done.exit_code, done.output) == (0, f"4 rows predicted: {out}\n")
    by_folder = ["predict", str(models["good"]), str(table(*LINES)), "--out", str(out)]
    assert runner.invoke(app, by_folder).output == f"4 rows predicted: {out}\n"
    refused = runner.invoke(app, ["rollback", "tiny", "--root", str(root)])
    assert refused.exit_code == 2
    nothing = runner.invoke(app, ["rollback", "tiny", "--root", str(tmp_path)])
    assert isinstance(nothing.exception, UnavailableError)

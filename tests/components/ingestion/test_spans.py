"""Rolling windows over files whose paths hold dates or numbers."""

import pytest

from components.common.errors import BadInputError
from components.ingestion.resolve import resolve_files


@pytest.fixture
def months(write):
    for month in ("2012-11", "2012-12", "2013-01", "2013-03"):
        write(f"sales-{month}.csv", f"month,n\n{month},{int(month[-2:])}\n")


def found(tmp_path, **source):
    files = resolve_files({"t": {"uri": f"{tmp_path}/sales-{{YYYY}}-{{MM}}.csv", **source}})["t"]
    return [file.uri[-11:-4] for file in files]


def test_window_ends_with_the_newest_span_and_counts_months_with_no_file(months, tmp_path, capsys):
    assert found(tmp_path) == ["2012-11", "2012-12", "2013-01", "2013-03"]
    assert found(tmp_path, window=3.0) == ["2013-01", "2013-03"]  # as KFP carries it
    assert "sources.t: no file yet for 2013-02" in capsys.readouterr().out
    assert found(tmp_path, span="2013-01", window=2) == ["2012-12", "2013-01"]


def test_late_file_joins_the_window_and_moves_nothing_else(months, write, tmp_path):
    before = found(tmp_path, window=3)
    write("sales-2013-02.csv", "month,n\n2013-02,2\n")
    assert found(tmp_path, window=3) == sorted([*before, "2013-02"])


def test_days_and_numbers_are_spans_too(write, tmp_path):
    for name in (
        "d/2024/02/29/x.csv",
        "d/2024/03/01/x.csv",
        "d/2024/02/30/x.csv",
        "n/9/x.csv",
        "n/10/x.csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        write(name, "a\n1\n")
    days = resolve_files({"t": {"uri": f"{tmp_path}/d/{{YYYY}}/{{MM}}/{{DD}}/x.csv", "window": 2}})["t"]
    assert [file.uri[-16:-6] for file in days] == ["2024/02/29", "2024/03/01"]
    numbers = resolve_files({"t": {"uri": f"{tmp_path}/n/{{SPAN}}/x.csv", "window": 1}})["t"]
    assert [file.uri for file in numbers] == [f"{tmp_path}/n/10/x.csv"]


@pytest.mark.parametrize(
    ("numbers", "window", "told"),
    [
        ((1, 2, 3, 5), None, "no file yet for 4"),
        ((10, 20, 40), None, "no file yet for 30"),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 17), None, "no file yet for 10, 11, 12, 13, 14 and 2 more"),
        ((1, 3_000_001), None, ""),
        ((20130130, 20130131, 20130201), None, ""),
        ((20130101, 20131231), 10**18, ""),
        ((0, 1, 3), 10**18, "no file yet for 2"),
    ],
)
def test_missing_numbers_are_told_in_one_short_line_where_steps_are_regular(
    numbers, window, told, write, tmp_path, capsys
):
    for number in numbers:
        write(f"p-{number}.csv", "a\n1\n")
    resolve_files({"t": {"uri": f"{tmp_path}/p-{{SPAN}}.csv", "window": window}})
    assert capsys.readouterr().out == (f"sources.t: {told}\n" if told else "")


def test_missing_days_are_counted(write, tmp_path, capsys):
    for day in ("2013-01-01", "2013-12-31"):
        write(f"d-{day}.csv", "a\n1\n")
    resolve_files({"t": f"{tmp_path}/d-{{YYYY}}-{{MM}}-{{DD}}.csv"})
    days = "2013-01-02, 2013-01-03, 2013-01-04, 2013-01-05, 2013-01-06"
    assert capsys.readouterr().out == f"sources.t: no file yet for {days} and 358 more\n"  # 365 - 2 - 5


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"span": "2013"}, "not a span — sources.t.span — got '2013' — write `2013-06`"),
        ({"span": "2013-13"}, "not a span"),
        ({"span": "2019-01", "window": 2}, "no file is in the window"),
        ({"uri": "x-{MM}.csv"}, "placeholders make no date"),
        ({"uri": "{YYYY}/none-{MM}.csv"}, "pattern matches no file"),
    ],
)
def test_span_that_is_none_is_refused(source, message, months, write, tmp_path):
    write("x-01.csv", "a\n1\n")
    with pytest.raises(BadInputError, match=message):
        found(tmp_path, **{**source, **({"uri": f"{tmp_path}/{source['uri']}"} if "uri" in source else {})})


def test_repeated_file_is_seen_by_its_content_and_read_once(run, write, tmp_path, capsys):
    write("s-1.csv", "n\n1\n2\n")
    write("s-2.csv", "n\n3\n")
    once = run({"t": {"uri": f"{tmp_path}/s-{{SPAN}}.csv"}}, split={"key": ["n"]})
    write("s-3.csv", "n\n1\n2\n")
    twice = run({"t": {"uri": f"{tmp_path}/s-{{SPAN}}.csv"}}, split={"key": ["n"]})
    assert [row["n"] for row in twice.rows()] == [1, 2, 3]
    assert twice.snapshot.version == once.snapshot.version
    note = f"not read: the bytes of {tmp_path}/s-1.csv"
    assert [file.get("note") for file in twice.snapshot.sources["t"]] == [None, None, note]
    assert f"s-3.csv: {note}" in capsys.readouterr().out
    plain = run({"t": f"{tmp_path}/s-*.csv"}, split={"key": ["n"]})
    told = f"its rows are there twice: the bytes of {tmp_path}/s-1.csv"
    assert [file.get("note") for file in plain.snapshot.sources["t"]] == [None, None, told]
    assert f"s-3.csv: {told}" in capsys.readouterr().out
    assert [row["n"] for row in plain.rows()] == [1, 1, 2, 2, 3]  # two files may hold the same rows

import os
from pathlib import Path

import pytest

from components.common.errors import BadInputError, UnavailableError
from components.ingestion.fetch import check_unchanged
from components.ingestion.resolve import resolve_files
from components.ingestion.stores import FoundFile, LocalFiles


def test_glob_gives_each_file_once_sorted_with_size_and_time(write, tmp_path):
    for name in ("b.csv", "a.csv"):
        write(name, "x\n1\n")
    os.utime(tmp_path / "a.csv", ns=(1, 1_700_000_000_123_456_789))
    found = resolve_files({"t": [str(tmp_path / "*.csv"), str(tmp_path / "b.csv")]})
    assert [Path(file.uri).name for file in found["t"]] == ["a.csv", "b.csv"]
    assert found["t"][0] == FoundFile(uri=str(tmp_path / "a.csv"), bytes=4, identity="1700000000123456789")


def test_file_uri_and_relative_path_name_the_same_file(write, tmp_path, monkeypatch):
    path = write("a b.csv", "x\n1\n")
    monkeypatch.chdir(tmp_path)
    by_uri = resolve_files({"t": f"file://{str(path).replace(' ', '%20')}"})
    assert by_uri == resolve_files({"t": "a b.csv"}) == resolve_files({"t": str(path)})


def test_file_uri_that_climbs_is_refused(tmp_path):
    for path in ("../a.csv", "%2e%2e/a.csv"):
        with pytest.raises(BadInputError, match="URI not allowed"):
            resolve_files({"t": f"file://{tmp_path}/{path}"})
    with pytest.raises(BadInputError, match="must name a path here"):
        resolve_files({"t": "file://elsewhere/a.csv"})


def test_name_with_glob_characters_is_taken_as_it_is(write, run):
    path = write("we[1] it's*.csv", "x,y\n1,2\n")
    assert run({"t": path}).rows() == [{"x": 1, "y": 2}]


def test_double_star_goes_through_folders(write, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write("deep/er/a.csv", "x\n1\n")
    assert len(resolve_files({"t": str(tmp_path / "**" / "*.csv")})["t"]) == 1


@pytest.mark.parametrize("scheme", ["ftp", "hdfs", "mysql", "abfs"])
def test_scheme_that_is_not_read_is_refused_by_name(scheme):
    with pytest.raises(BadInputError, match=f"scheme must be one of file, s3, gs, .*, but got '{scheme}'"):
        resolve_files({"t": f"{scheme}://place/a.csv"})


@pytest.mark.parametrize("name", ["1st", "a-b", "a b", "", 'x"; DROP', "é"])
def test_name_that_sql_does_not_know_is_refused(name, write):
    with pytest.raises(BadInputError, match="not a name for a source"):
        resolve_files({name: str(write("a.csv", "x\n1\n"))})


def test_names_that_differ_by_case_only_are_refused(write):
    path = str(write("a.csv", "x\n1\n"))
    with pytest.raises(BadInputError, match="more than case"):
        resolve_files({"t": path, "T": path})


@pytest.mark.parametrize("uris", [None, [], 3, "", {"uri": 3}, {"uri": []}, [3]])
def test_what_is_no_uri_is_refused(uris):
    with pytest.raises(
        BadInputError, match=r"must be a uri(, a list of uris or a mapping| or a list of uris).*sources\.t"
    ):
        resolve_files({"t": uris})


def test_missing_sources_file_and_glob_are_named(tmp_path):
    with pytest.raises(BadInputError, match="there are no sources"):
        resolve_files({})
    with pytest.raises(BadInputError, match=r"file does not exist — sources\.t — got '.*no\.csv'"):
        resolve_files({"t": str(tmp_path / "no.csv")})
    with pytest.raises(BadInputError, match=r"pattern matches no file — sources\.t — got '.*no-\*\.csv'"):
        resolve_files({"t": str(tmp_path / "no-*.csv")})


def test_empty_file_folder_unknown_format_and_mixture_are_refused(write, tmp_path):
    write("a.csv", "x\n1\n")
    with pytest.raises(BadInputError, match=r"file is empty \(0 bytes\) — .*none\.csv"):
        resolve_files({"t": str(write("none.csv", ""))})
    with pytest.raises(BadInputError, match="a folder without Parquet files is no table"):
        resolve_files({"t": str(tmp_path)})
    with pytest.raises(BadInputError, match=r"not a kind of file that is read — .*a\.xlsx"):
        resolve_files({"t": str(write("a.xlsx", "x"))})
    write("b.parquet", "x")
    with pytest.raises(BadInputError, match="mixes formats: csv, parquet"):
        resolve_files({"t": [str(tmp_path / "a.csv"), str(tmp_path / "b.parquet")]})


def test_file_that_grew_was_touched_or_went_away_is_called_changed(write):
    path = write("a.csv", "x\n1\n")
    [file] = resolve_files({"t": str(path)})["t"]
    check_unchanged(LocalFiles(), file)
    os.utime(path, ns=(1, 1))
    with pytest.raises(UnavailableError, match="source changed"):
        check_unchanged(LocalFiles(), file)
    path.write_text("x\n1\n2\n")
    with pytest.raises(UnavailableError, match="6 bytes, expected 4"):
        check_unchanged(LocalFiles(), file)
    path.unlink()
    with pytest.raises(UnavailableError, match="the file is gone"):
        check_unchanged(LocalFiles(), file)

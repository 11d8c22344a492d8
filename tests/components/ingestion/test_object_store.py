"""Object stores: a real S3 server (moto) on the loopback, and the calls of Google's that gcsfs makes."""

import json
from typing import ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from components.common.errors import BadInputError, UnavailableError
from components.common.storage import file_digest
from components.ingestion import fetch
from components.ingestion.object_store import ObjectStore
from components.ingestion.resolve import resolve_files
from components.ingestion.sources import read_sources
from tests.loopback import Answering, listening


@pytest.fixture(scope="module")
def server():
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    yield "http://{}:{}".format(*moto.get_host_and_port())
    moto.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    """An empty bucket `data`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = boto3.resource("s3").Bucket("data")
    bucket.create()
    yield bucket
    bucket.objects.delete()


def test_objects_and_globs_are_read_like_local_files(bucket, run, write, many, tmp_path):
    header, *lines = many.splitlines(keepends=True)
    for name, part in (("b", lines[:150]), ("a", lines[150:])):
        bucket.put_object(Key=f"in/{name}.csv", Body=(header + "".join(part)).encode())
        write(f"{name}.csv", header + "".join(part))
    local, remote = run({"t": tmp_path / "?.csv"}), run({"t": "s3://data/in/*.csv"})
    assert remote.snapshot.version == local.snapshot.version
    assert remote.rows() == local.rows()
    told = remote.snapshot.sources["t"][0]
    assert told["uri"] == "s3://data/in/a.csv"
    assert told["sha256"] == file_digest(tmp_path / "a.csv")
    [found, _] = resolve_files({"t": "s3://data/in/*.csv"})["t"]
    assert found.identity == bucket.Object("in/a.csv").e_tag.strip('"')


def test_folder_of_partitions_gives_their_values_as_columns(bucket, run, tmp_path):
    for year in (2012, 2013):
        pq.write_table(pa.table({"n": [year % 100]}), tmp_path / "x.parquet")
        bucket.upload_file(str(tmp_path / "x.parquet"), f"lake/year={year}/x.parquet")
    bucket.put_object(Key="lake/_SUCCESS", Body=b"")
    made = run({"t": "s3://data/lake/"})
    assert made.rows() == [{"n": 12, "year": 2012}, {"n": 13, "year": 2013}]


def test_object_larger_than_a_range_arrives_whole(bucket, write, tmp_path):
    text = "n\n" + "".join(f"{n:09d}\n" for n in range(1_000_000))  # more than one range of 8 MiB
    bucket.put_object(Key="large.csv", Body=text.encode())
    source = {"t": "s3://data/large.csv"}
    [file] = resolve_files(source)["t"]
    store = ObjectStore(read_sources(source)["t"], where="t", timeout_seconds=5)
    path, digest = fetch.fetch_file(store, file, tmp_path / "copy")
    assert path.read_text() == text
    assert digest == file_digest(write("large.csv", text))


def test_object_that_changes_after_it_was_resolved_is_refused(bucket, tmp_path):
    bucket.put_object(Key="a.csv", Body=b"n\n1\n")
    source = {"t": "s3://data/a.csv"}
    [file] = resolve_files(source)["t"]
    bucket.put_object(Key="a.csv", Body=b"n\n2\n")
    store = ObjectStore(read_sources(source)["t"], where="t", timeout_seconds=5)
    with pytest.raises(UnavailableError, match=r"source changed .*s3://data/a.csv — got 'identity"):
        fetch.fetch_file(store, file, tmp_path / "copy")
    bucket.Object("a.csv").delete()
    with pytest.raises(UnavailableError, match="the file is gone"):
        fetch.fetch_file(store, file, tmp_path / "copy")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("s3://data/none.csv", "file does not exist"),
        ("s3://data/*.csv", "pattern matches no file"),
        ("s3://data/folder/", "file does not exist"),
        ("s3://nowhere/*.csv", "pattern matches no file"),
    ],
)
def test_nothing_there_is_named(uri, message, bucket):
    with pytest.raises(BadInputError, match=message):
        resolve_files({"t": uri})


def test_store_that_does_not_answer_is_unavailable(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match=r"the object store failed: .* — s3://data/a\.csv"):
        resolve_files({"t": "s3://data/a.csv"}, timeout_seconds=1)


def test_keys_by_reference_open_the_store(bucket, monkeypatch):
    bucket.put_object(Key="a.csv", Body=b"n\n1\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("OTHER_KEY", "other")
    monkeypatch.setenv("OTHER_SECRET", "canary-2d9e")
    keys = {"key": "env:OTHER_KEY", "secret": "env:OTHER_SECRET"}
    assert len(resolve_files({"t": {"uri": "s3://data/a.csv", "credentials": keys}})["t"]) == 1
    with pytest.raises(BadInputError, match="the object store refused: NoCredentialsError"):
        resolve_files({"t": "s3://data/a.csv"})


class _Google(Answering):
    """The three calls of Google's JSON API that reading needs: tell, list, and bytes of an object."""

    objects: ClassVar = {"in/a.csv": b"n\n1\n2\n", "in/b.csv": b"n\n3\n"}

    def answer(self):
        address = urlsplit(self.path)
        key = unquote(address.path.partition("/o/")[2])
        if "/download/" in address.path or "alt=media" in address.query:
            self._send(self.objects.get(key), "text/csv")
        elif key:
            self._send(self._told(key) if key in self.objects else None, "application/json")
        else:
            prefix = dict(parse_qsl(address.query)).get("prefix", "")
            listed = {
                "items": [json.loads(self._told(key)) for key in self.objects if key.startswith(prefix)]
            }
            self._send(json.dumps(listed).encode(), "application/json")

    def _told(self, key):
        size = str(len(self.objects[key]))
        told = {"name": key, "bucket": "data", "size": size, "generation": "17", "kind": "storage#object"}
        return json.dumps(told).encode()

    def _send(self, body, kind):
        self.send(200 if body is not None else 404, body or b"", {"Content-Type": kind})


@pytest.fixture
def google(monkeypatch):
    with listening(_Google) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        yield


def test_google_s_store_is_read_by_the_same_seam(google, run):
    made = run({"t": ["gs://data/in/a.csv", "gs://data/in/b.csv"]})
    assert made.rows() == [{"n": 1}, {"n": 2}, {"n": 3}]
    files = resolve_files({"t": ["gs://data/in/a.csv", "gs://data/in/b.csv"]})["t"]
    assert [(file.uri, file.identity) for file in files] == [
        ("gs://data/in/a.csv", "17"),
        ("gs://data/in/b.csv", "17"),
    ]
    with pytest.raises(BadInputError, match="file does not exist"):
        resolve_files({"t": "gs://data/in/none.csv"})

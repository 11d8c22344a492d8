"""Reading text files byte by byte: unpacking them, and finding what is no text."""

from __future__ import annotations

import codecs
import gzip
import os
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from components.common.errors import BadInputError

_PIECE = 1 << 20


def unpack_text(source: Path, compression: str | None, copy: Path) -> None:
    """Check that a file is UTF-8 text, and write its unpacked copy when it is compressed.

    Args:
        source: The file.
        compression: `gz`, `zst`, `zip` (one member), or None for a plain file, which is not copied.
        copy: The file to write; it must not exist.

    Raises:
        BadInputError: The file is cut or corrupt, a zip of not exactly one file, no UTF-8, or holds a
            NUL byte; with the place.
    """
    check = _TextCheck(source)
    target = Path(os.devnull) if compression is None else copy
    with _opened(source, compression) as stream, target.open("wb") as out:
        for piece in _pieces(stream, source):
            check.take(piece)
            out.write(piece)
    check.take(b"", final=True)


class _TextCheck:
    """Sees a file in pieces and refuses the first byte that is no text."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._line, self._offset = 1, 0

    def take(self, piece: bytes, *, final: bool = False) -> None:
        pending = len(self._decoder.getstate()[0])  # bytes of a character that the last piece began
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            where, value = self._place(piece, error.start - pending), error.object[error.start : error.end]
            fix = "convert it, for example with `iconv -f latin1 -t utf-8`"
            raise BadInputError("not UTF-8", where=where, value=value, fix=fix) from error
        if (at := piece.find(b"\0")) >= 0:
            raise BadInputError(
                "NUL byte in a text file", where=self._place(piece, at), fix="write it again"
            )
        self._line += piece.count(b"\n")
        self._offset += len(piece)

    def _place(self, piece: bytes, at: int) -> str:
        line = self._line + piece[: max(at, 0)].count(b"\n")
        return f"{self._source}:{line}, byte {self._offset + at}"


def _pieces(stream: IO[bytes], source: Path) -> Iterator[bytes]:
    offset = 0
    try:
        while piece := stream.read(_PIECE):
            yield piece
            offset += len(piece)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        what = f"compressed file is cut or corrupt after {offset} unpacked bytes: {error}"
        raise BadInputError(what, where=source, fix="write it again") from error


@contextmanager
def _opened(path: Path, compression: str | None) -> Generator[IO[bytes]]:
    if compression == "gz":
        with gzip.open(path) as stream:
            yield cast("IO[bytes]", stream)
    elif compression == "zst":
        with pa.input_stream(str(path), compression="zstd") as stream:
            yield cast("IO[bytes]", stream)
    elif compression == "zip":
        with _opened_zip(path) as archive, archive.open(_only_member(archive, path)) as stream:
            yield stream
    else:
        with path.open("rb") as stream:
            yield stream


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise BadInputError(
            f"zip file is cut or corrupt: {error}", where=path, fix="write it again"
        ) from error


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1 or members[0].flag_bits & 1:
        names = [member.filename for member in members[:5]]
        fix = "pack each table into a file of its own, without a password"
        raise BadInputError("a zip file must hold one plain file", where=path, value=names, fix=fix)
    return members[0]

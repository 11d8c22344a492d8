"""Reading text files byte by byte: unpacking them, and finding what is no text."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, cast

import pyarrow as pa

from components.common.errors import BadInputError

_PIECE = 1 << 20
_OTHERS = {
    b"PK\x03\x04": "a zip file or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3": "a SQLite database",
}
_PAGE = re.compile(rb"\s*<(!doctype html|html)\b", re.IGNORECASE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # how spreadsheets begin "Unicode text"
_MOST_UNPACKED = 200  # times its own size, above which a packed file is taken for a bomb,
_ALWAYS_UNPACKED = 1 << 28  # unless what comes out is small anyway


def unpack_text(path: Path, compression: str | None, encoding: str, copy: Path, *, uri: str) -> Path:
    """Check that a file is text, and write a plain copy in UTF-8 when it is packed or encoded otherwise.

    Args:
        path: The file.
        compression: `gz`, `zst`, `zip` (one member), or None for a plain file.
        encoding: Of the text.
        copy: The file to write; it must not exist.
        uri: Where the file came from, for errors.

    Returns:
        The path of the plain UTF-8 file: the copy, or the file itself.

    Raises:
        BadInputError: The file is cut or corrupt, a zip of not exactly one plain file, unpacks to far more
            than it is, is not of the encoding, or holds a NUL byte; with the place.
    """
    check = _TextCheck(uri, encoding)
    copied = compression is not None or codecs.lookup(encoding).name != "utf-8"
    most = max(_ALWAYS_UNPACKED, path.stat().st_size * _MOST_UNPACKED)
    with (
        _opened(path, compression, uri) as stream,
        (copy if copied else Path(os.devnull)).open("wb") as out,
    ):
        for piece in _pieces(stream, uri, most):
            text = check.take(piece)
            if copied:
                out.write(piece if text is None else text.encode())
    check.take(b"", final=True)
    return copy if copied else path


class _TextCheck:
    """Sees a file in pieces and refuses the first byte that is no text."""

    def __init__(self, uri: str, encoding: str) -> None:
        self._uri, self._encoding = uri, codecs.lookup(encoding).name
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._line, self._offset = 1, 0

    def take(self, piece: bytes, *, final: bool = False) -> str | None:
        """Check a piece; its text is returned unless the bytes are UTF-8 already."""
        plain = self._encoding == "utf-8"
        if not self._offset:
            _require_text(piece, self._uri)
        pending = self._decoder.getstate()[0]  # bytes of a character that the last piece began
        text = None
        if not (plain and not pending and piece.isascii()):
            text = self._decode(piece, len(pending), final)
        found = piece.find(b"\0") if text is None or plain else text.find("\0")
        if found >= 0:
            raise BadInputError(
                "NUL byte in a text file", where=self._place(piece, found), fix="write it again"
            )
        self._line += piece.count(b"\n")
        self._offset += len(piece)
        return None if plain else text

    def _decode(self, piece: bytes, pending: int, final: bool) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            where, value = self._place(piece, error.start - pending), error.object[error.start : error.end]
            what = "not UTF-8" if self._encoding == "utf-8" else f"not {self._encoding}"
            likely = "latin-1" if self._offset or not error.object.startswith(_UTF_16) else "utf-16"
            fix = f"name the encoding, such as `ingestion.encoding: {likely}`, or write it in UTF-8"
            raise BadInputError(what, where=where, value=value, fix=fix) from error

    def _place(self, piece: bytes, at: int) -> str:
        line = self._line + piece[: max(at, 0)].count(b"\n")
        return f"{self._uri}:{line}, byte {self._offset + at}"


def _require_text(piece: bytes, uri: str) -> None:
    for begin, kind in _OTHERS.items():
        if piece.startswith(begin):
            fix = "give it the ending of what it is, or write it as CSV"
            raise BadInputError(f"not text but {kind}", where=uri, value=begin, fix=fix)
    if found := _PAGE.match(piece):
        fix = "look at what was downloaded: often it is a page to sign in"
        raise BadInputError("a web page, and no table", where=uri, value=found[0].decode(), fix=fix)


def _pieces(stream: IO[bytes], source: str, most: int) -> Iterator[bytes]:
    offset = 0
    try:
        while piece := stream.read(_PIECE):
            yield piece
            offset += len(piece)
            if offset > most:
                fix = "unpack it yourself, if it is to be trusted"
                raise BadInputError(f"unpacks to more than {most} bytes", where=source, fix=fix)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        what = f"compressed file is cut or corrupt after {offset} unpacked bytes: {error}"
        raise BadInputError(what, where=source, fix="write it again") from error


@contextmanager
def _opened(path: Path, compression: str | None, uri: str) -> Generator[IO[bytes]]:
    if compression == "gz":
        with gzip.open(path) as stream:
            yield cast("IO[bytes]", stream)
    elif compression == "zst":
        with pa.input_stream(str(path), compression="zstd") as stream:
            yield cast("IO[bytes]", stream)
    elif compression == "zip":
        with _opened_zip(path, uri) as archive, _opened_member(archive, uri) as stream:
            yield stream
    else:
        with path.open("rb") as stream:
            yield stream


def _opened_zip(path: Path, uri: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        what = f"zip file is cut or corrupt: {error}"
        raise BadInputError(what, where=uri, fix="write it again") from error


def _opened_member(archive: zipfile.ZipFile, uri: str) -> IO[bytes]:
    try:
        return archive.open(_only_member(archive, uri))
    except (NotImplementedError, RuntimeError) as error:  # a way to pack that Python's zipfile lacks
        what, fix = f"zip file cannot be unpacked: {error}", "pack it by deflate, the usual way"
        raise BadInputError(what, where=uri, fix=fix) from error
    except zipfile.BadZipFile as error:
        what = f"zip file is cut or corrupt: {error}"
        raise BadInputError(what, where=uri, fix="write it again") from error


def _only_member(archive: zipfile.ZipFile, uri: str) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1 or members[0].flag_bits & 1 or not _is_plain(members[0]):
        names = [member.filename for member in members[:5]]
        fix = "pack each table into a file of its own, without a password, a link or a path"
        raise BadInputError("a zip file must hold one plain file", where=uri, value=names, fix=fix)
    return members[0]


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Tell whether a member is a file, neither a link nor a device, and inside the archive's folder."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    return kind in (0, stat.S_IFREG) and ".." not in parts and not member.filename.startswith("/")

"""Where in a CSV file a defect stands; read slowly, and only after something has failed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import duckdb

from components.common.errors import BadInputError
from components.ingestion.database import first_line
from components.ingestion.infer import Stray
from components.ingestion.scan import ScannedFile

_LISTED = 5


def explain_failure(files: Sequence[ScannedFile], error: duckdb.Error) -> BadInputError:
    """Find out why files could not be parsed.

    Args:
        files: CSV files, one of which the database refused.
        error: What the database said.

    Returns:
        An error that names the file and the lines: rows with too few or too many cells, a quote that
        is never closed, line ends of two kinds; else what the database said.
    """
    for file in files:
        if found := _defect(file):
            return found
    return BadInputError(
        f"cannot be parsed: {first_line(error)}", where=", ".join(file.source.uri for file in files)
    )


def explain_stray(files: Sequence[ScannedFile], stray: Stray) -> BadInputError:
    """Name the place of a value that breaks the kind of its column.

    Args:
        files: The CSV files that hold the column.
        stray: The value.
    """
    what = f"column `{stray.column}` holds {stray.kind} values but for {stray.count} of {stray.rows}"
    fix = (
        "correct it, or name it in `ingestion.null_values` if it means missing, "
        f"or set `ingestion.types: {{{stray.column}: string}}`"
    )
    return BadInputError(what, where=_place(files, stray), value=stray.value, fix=fix)


def _place(files: Sequence[ScannedFile], stray: Stray) -> str:
    for file in files:
        at = file.columns.index(stray.column)
        for line, row in _rows(file):
            if len(row) > at and row[at] == stray.value:
                return f"{file.source.uri}:{line}"
    return files[0].source.uri


def _defect(file: ScannedFile) -> BadInputError | None:
    wanted = len(file.columns)
    ragged: list[str] = []
    try:
        for line, row in _rows(file):
            if row and len(row) != wanted and len(ragged) < _LISTED:
                ragged.append(f"line {line} has {len(row)}")
    except csv.Error as error:
        fix = "close the quote; write a quote inside a cell as two"
        return BadInputError(
            f"quotes do not match: {error}", where=f"{file.source.uri}:{_quoted_line(file)}", fix=fix
        )
    if ragged:
        what = f"the header has {wanted} cells, but {', '.join(ragged)}"
        return BadInputError(
            what, where=file.source.uri, fix="correct these lines; quote cells that hold delimiters"
        )
    if _line_ends(file) > 1:
        return BadInputError(
            "line ends are of two kinds", where=file.source.uri, fix="use one, for example by dos2unix"
        )
    return None


def _rows(file: ScannedFile) -> Iterator[tuple[int, list[str]]]:
    """Yield each row after the header with the line it ends on."""
    csv.field_size_limit(1 << 30)
    with file.path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=file.delimiter or ",", strict=True)
        next(reader)
        for row in reader:
            yield reader.line_num, row


def _quoted_line(file: ScannedFile) -> int:
    """Return the line after the last row that could be read: there the open quote began."""
    last = 1
    try:
        for line, _ in _rows(file):
            last = line
    except csv.Error:
        return last + 1
    return last


def _line_ends(file: ScannedFile) -> int:
    with file.path.open(encoding="utf-8-sig") as stream:  # universal newlines: it notes the kinds it met
        for _ in stream:
            pass
        return 1 if isinstance(stream.newlines, str) else len(stream.newlines or "")

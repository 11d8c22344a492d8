"""Tables that are to be predicted, read row by row with the line that each stands in, and written again."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from components.common.storage import publishing

MISSING = ("", "NA")  # cells of CSV, as ingestion has them
ROWS = 1_000
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some rows.

    Attributes:
        lines: Where each stands: the line of CSV it ends in, or the row of Parquet; from 1.
        columns: Values by column: cells as text of CSV, Python values of Parquet.
    """

    lines: Sequence[int]
    columns: Mapping[str, Sequence[Any]]


def read_batches(file: Path) -> Iterator[Batch]:
    """Yield a table in batches of at most a thousand rows; there is at least one row.

    Args:
        file: `.csv` with a header line, UTF-8 and commas, or `.parquet`.

    Raises:
        BadInputError: The file is neither, is missing, is cut or corrupt, has doubtful columns or no rows,
            or a row has too many or too few cells; the line is named.
    """
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if file.suffix not in readers:
        raise BadInputError("not a table that can be read", where=file, fix="give a .csv or .parquet file")
    empty = True
    try:
        for batch in readers[file.suffix](file):
            empty = False
            yield batch
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInputError(f"not readable: {reason}", where=file) from error
    if empty:
        raise BadInputError("the table has no rows", where=file)


def typed_cells(batch: Batch, name: str, kind: str) -> list[Any]:
    """Return a column's cells of CSV as values of an input's kind, None where one is missing.

    Values of Parquet are returned as they are, dates and times as ISO 8601.

    Raises:
        BadInputError: Cells are of another kind; the first lines are named.
    """
    values: list[Any] = []
    bad: list[int] = []
    for line, cell in zip(batch.lines, batch.columns[name], strict=True):
        try:
            values.append(_typed(cell, kind))
        except ValueError:
            bad.append(line)
    if bad:
        shown = ", ".join(map(str, bad[:5])) + (", …" if len(bad) > 5 else "")
        first = batch.columns[name][list(batch.lines).index(bad[0])]
        raise BadInputError(f"not of kind {kind}", where=f"column `{name}`, line {shown}", value=first)
    return values


def write_batches(out: Path, batches: Iterator[Mapping[str, Sequence[Any]]]) -> int:
    """Write batches of equal columns to one file, which appears when it is complete; returns the rows.

    Args:
        out: `.csv` or `.parquet`.
        batches: At least one.

    Raises:
        BadInputError: It is neither, or its folder cannot be made.
    """
    writers = {".csv": _write_csv, ".parquet": _write_parquet}
    if out.suffix not in writers:
        raise BadInputError(
            "not a table that can be written", where=out, fix="name a .csv or .parquet file"
        )
    with publishing(out) as draft:
        return writers[out.suffix](draft, batches)


def _read_csv(file: Path) -> Iterator[Batch]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        header = next(reader, [])
        _check_header(header, file)
        while rows := [(reader.line_num, row) for row in islice(reader, ROWS) if row]:
            for line, row in rows:
                if len(row) != len(header):
                    what = f"{len(row)} cells, and the header has {len(header)}"
                    raise BadInputError(what, where=f"{file}:{line}")
            columns = zip(*(row for _, row in rows), strict=True)
            yield Batch(lines=[line for line, _ in rows], columns=dict(zip(header, columns, strict=True)))


def _read_parquet(file: Path) -> Iterator[Batch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            _check_header(table.schema_arrow.names, file)
            first = 1
            for piece in table.iter_batches(ROWS):
                if piece.num_rows:
                    yield Batch(lines=range(first, first + piece.num_rows), columns=piece.to_pydict())
                first += piece.num_rows
    except pa.ArrowException as error:
        raise BadInputError(f"not readable: {str(error).splitlines()[0]}", where=file) from error


def _check_header(names: Sequence[str], file: Path) -> None:
    doubles = sorted({name for name in names if names.count(name) > 1})
    if not names or "" in names or doubles:
        what = f"duplicate column names: {', '.join(doubles)}" if doubles else "a column without a name"
        raise BadInputError(what, where=file, fix="name every column once")


def _typed(cell: Any, kind: str) -> Any:
    if not isinstance(cell, str):
        return cell.isoformat() if hasattr(cell, "isoformat") else cell
    if cell in MISSING:
        return None
    if kind == "integer":
        if not _INTEGER.fullmatch(cell):
            raise ValueError
        return int(cell)
    if kind == "boolean":
        if cell.lower() not in _BOOLEANS:
            raise ValueError
        return _BOOLEANS[cell.lower()]
    return float(cell) if kind == "float" else cell


def _write_csv(draft: Path, batches: Iterator[Mapping[str, Sequence[Any]]]) -> int:
    rows = 0
    with draft.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        for batch in batches:
            if not rows:
                writer.writerow(batch)
            for row in zip(*batch.values(), strict=True):
                writer.writerow(row)
                rows += 1
    return rows


def _write_parquet(draft: Path, batches: Iterator[Mapping[str, Sequence[Any]]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pa.table({name: list(values) for name, values in batch.items()}) for batch in batches]
    table = pa.concat_tables(tables, promote_options="permissive")
    pq.write_table(table, draft, compression="zstd")
    return table.num_rows

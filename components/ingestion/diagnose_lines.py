"""Where in a file of JSON lines a defect stands; read slowly, and only after something has failed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from components.common.errors import BadInputError
from components.ingestion.database import first_line
from components.ingestion.infer import Stray
from components.ingestion.scan import ScannedFile


def explain_lines(files: Sequence[ScannedFile], error: duckdb.Error | None) -> BadInputError:
    """Find the first line that is no object, or has a key twice; else tell what the database said."""
    for place, line in _lines(files):
        if what := _defect(line):
            return BadInputError(what, where=place, value=line.strip(), fix="correct the line")
    told = "a line cannot be read" if error is None else f"cannot be read: {first_line(error)}"
    return BadInputError(told, where=", ".join(file.source.uri for file in files))


def find_line(files: Sequence[ScannedFile], stray: Stray) -> str:
    """Return file and line of a value that breaks the type of its key."""
    for place, line in _lines(files):
        value = json.loads(line, parse_float=str).get(stray.column)  # 1e999 is not inf here
        if value is not None and stray.value in (
            value,
            json.dumps(value),
            json.dumps(value, ensure_ascii=False),
        ):
            return place
    return files[0].source.uri


def _lines(files: Sequence[ScannedFile]) -> Iterator[tuple[str, str]]:
    for file in files:
        with file.path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{file.source.uri}:{number}", line


def _defect(line: str) -> str | None:
    doubles: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        doubles.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    try:
        found = json.loads(line, object_pairs_hook=collect, parse_constant=refuse)
    except ValueError as error:
        return f"not a line of JSON: {error}"
    if not isinstance(found, dict):
        return "a line must hold one JSON object"
    return f"the key `{doubles[0]}` stands twice" if doubles else None

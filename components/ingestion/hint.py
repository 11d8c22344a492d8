"""Text that is probably meant to be read otherwise: told, and left as it is."""

# ruff: noqa: S608 - names are quoted by `identifier`
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import duckdb

from components.ingestion.database import identifier

_LOOKED_AT = 1000  # rows, the first ones
_REPEATED = 5  # times that a value of a category occurs, on average
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_DAY = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4}")
# What all values look like, the first that fits; what stands in some of them; the SQL that reads them.
_FORMS = (
    (rf"\s*{_NUMBER}\s*", " ", "numbers between spaces", "trim(@)"),
    (r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?", ",", "numbers with commas between thousands", "replace(@, ',', '')"),
    (r"[+-]?\d*(,\d+)?", ",", "numbers with a decimal comma", "replace(@, ',', '.')"),
    (rf"{_NUMBER} ?%", "%", "percentages", "rtrim(@, ' %')"),
    (rf"[$€£] ?{_NUMBER}", "", "amounts of money", "ltrim(@, '$€£ ')"),
)


def find_hints(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[str]:
    """Yield a line for columns of text whose first values look like numbers, dates, or each other.

    What they mean is the user's to say: 03/04/2024 is a day of March or of April.

    Args:
        connection: The database.
        name: A source, readable under its name. No value of it is shown.
    """
    described = connection.execute(f"DESCRIBE {identifier(name)}").fetchall()
    if not (texts := [str(row[0]) for row in described if row[1] == "VARCHAR"]):
        return
    listed = ", ".join(map(identifier, texts))
    rows = connection.execute(f"SELECT {listed} FROM {identifier(name)} LIMIT {_LOOKED_AT}").fetchall()
    for column, cells in zip(texts, zip(*rows, strict=True), strict=False):
        values = [str(cell) for cell in cells if cell is not None]
        if values and (hint := _hint(values)):
            yield f"column `{column}` of `{name}` is text, and {hint.replace('@', identifier(column))}"


def _hint(values: Sequence[str]) -> str | None:
    if found := _looks_like(values):
        return f"looks like {found[0]}: `query` may read it by {found[1]}"
    texts = [value for value in values if not re.fullmatch(_NUMBER, value)]
    if len({*texts}) == 1 < len(texts) < len(values) / 2:
        missing = "if that means missing, name it in `ingestion.null_values`"
        return f"looks like numbers but for one text, {len(texts)} times: {missing}"
    folded = {value.strip().casefold() for value in values}
    if len(folded) < len({*values}) <= len(values) / _REPEATED:
        return (
            "some values differ in case or outer spaces only: `query` may make them one by lower(trim(@))"
        )
    return None


def _looks_like(values: Sequence[str]) -> tuple[str, str] | None:
    for pattern, mark, form, sql in _FORMS:
        if any(mark in value for value in values) and all(re.fullmatch(pattern, value) for value in values):
            return form, f"CAST({sql} AS DOUBLE)"
    days = [found for value in values if (found := _DAY.fullmatch(value))]
    if len(days) < len(values) or len({day[2] for day in days}) > 1:
        return None
    first, second = (max(int(day[at]) for day in days) for at in (1, 3))
    order = "%m@%d@%Y" if second > 12 else "%d@%m@%Y"
    form = "dates" if max(first, second) > 12 else "dates, of which day and month cannot be told apart"
    return form, f"CAST(strptime(@, '{order.replace('@', days[0][2])}') AS DATE)"

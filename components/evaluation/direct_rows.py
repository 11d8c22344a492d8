"""Directed rows: made from a twin's program, so that each of its entries, edges and branches is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.common.artifacts import MISSING_INTEGER, MISSING_STRING, Kind, Signature
from components.common.encoding import edge_mask
from components.common.twin.kinds import as_texts
from components.common.twin.program import Program
from components.evaluation.find_edges import find_edges

Columns = Mapping[str, NDArray[Any]]

_TINY, _HUGE = np.finfo(np.float32).tiny, np.finfo(np.float32).max
_FLOATS = (
    np.nan, 0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.5, 30.0, -30.0, 1e3, -1e3, 1e6, -1e6,
    1e20, -1e20, _TINY, -_TINY, _HUGE, -_HUGE,
    1e-1, -1e-1, 1e-2, -1e-2, 1e-3, -1e-3, 1e-4, -1e-4, 1e-5, -1e-5, 1e-6, -1e-6, 1e-7, -1e-7,
)  # fmt: skip
_INTEGERS = (
    MISSING_INTEGER, MISSING_INTEGER + 1, -(2**53) - 1, -(2**31) - 1, -(2**31), -2, -1, 0, 1, 2, 100, 400,
    2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1,
)  # fmt: skip
_TEXTS = (
    MISSING_STRING, "", " ", "0", "-1.5", "1e-40", "__unseen__", "ÄÖü ß", "日本", "\x00\x00", "a\x00b",
    "é" * 200, " Mixed Case ", "\n", "0x1A", "0x1p3", "nan(1)", "inf", "1e400",
)  # fmt: skip
_DATES = (
    "1970-01-01", "1969-12-31", "0001-01-01", "9999-12-31", "1600-02-29", "1900-02-28", "1900-02-29",
    "2000-02-29", "2000-03-01", "2023-02-29", "2024-02-29", "2024-02-30", "2024-04-30", "2024-04-31",
    "2024-12-31", "2024-00-10", "2024-13-10", "2024-01-00", "2024-01-32", "0000-01-01", "2024-1-01",
    "2024-06-15 ", "2024/06/15", "20240615", "today",
)  # fmt: skip
_MONTHS = tuple(f"2023-{month:02d}-{day:02d}" for month in range(1, 13) for day in (1, 28, 29, 30, 31, 32))
_MOMENT = "2024-05-06T07:18:29"
_TIMES = ("00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:00:60", "7:00:00")
_HOURS = tuple(f"2024-05-06T{hour:02d}:30:00" for hour in range(24))

_WHOLE = re.compile(rb"-?\d{1,19}")
_QUANTILES = 64
_TOGETHER = 64
_APART = 7919  # a prime: neighbouring rows are based on rows that are far apart


def direct_rows(
    program: Program, signature: Signature, base: Columns, vocabularies: Iterable[Sequence[bytes]] = ()
) -> dict[str, NDArray[Any]]:
    """Make rows, encoded, that differ from rows of the test split by one value each, and some by all.

    The values are every entry of every table that the input may be looked up in, both sides of every edge
    that was found, missing, unseen, and extremes of the type. Infinities and denormals, which no server
    takes, are not among them.

    Args:
        program: The twin's.
        signature: The model's.
        base: Encoded rows of the test split, at least one.
        vocabularies: Entries of the SavedModel's own vocabularies; what a table should have, it is asked.
    """
    kinds: dict[str, Kind] = {entry["name"]: entry["kind"] for entry in signature.inputs}
    keys = _complete(_list_keys(program), vocabularies)
    values = {
        one.name: _join(base[one.name], keys.get(one.value, []), _extremes(kinds[one.name]))
        for one in program.inputs
    }
    row = {name: column[:1] for name, column in base.items()}
    for name, edges in find_edges(program, row, _grids(values, base)).items():
        values[name] = np.concatenate([values[name], edges[~edge_mask(edges)]])
    return _lay_out(values, base)


def _lay_out(values: Columns, base: Columns) -> dict[str, NDArray[Any]]:
    """Return rows of the test split with one value each, then one without any, and rows of values alone."""
    single = sum(map(len, values.values()))
    rows = len(next(iter(base.values())))
    places = np.arange(single + _TOGETHER) * _APART % rows
    columns = {name: column[places] for name, column in base.items()}
    start = 0
    for number, (name, chosen) in enumerate(values.items()):
        columns[name][start : start + len(chosen)] = chosen
        start += len(chosen)
        columns[name][single:] = chosen[(np.arange(_TOGETHER) * (number + 1)) % len(chosen)]
    return columns


def _list_keys(program: Program) -> dict[str, list[Any]]:
    """Return by input value what it is looked up among, or compared with."""
    sources = {one.value: frozenset((one.value,)) for one in program.inputs}
    keys: dict[str, list[Any]] = {}
    for step in program.steps:
        reached = frozenset[str]().union(*(sources.get(name, frozenset()) for name in step.inputs))
        sources.update(dict.fromkeys(step.outputs, reached))
        found: list[Any] = []
        if step.operation == "LookupTableFindV2":
            found = program.tables[step.inputs[0]].keys.tolist()
        elif step.operation in ("Equal", "NotEqual"):
            known = [program.constants[name] for name in step.inputs if name in program.constants]
            found = [value for one in known for value in one.ravel().tolist()]
        for source in reached:
            keys.setdefault(source, []).extend(found)
    return keys


def _complete(
    keys: Mapping[str, list[Any]], vocabularies: Iterable[Sequence[bytes]]
) -> dict[str, list[Any]]:
    """Add each vocabulary to the keys that it shares an entry with."""
    complete = {source: list(found) for source, found in keys.items()}
    for entries in vocabularies:
        read = [*entries, *(int(entry) for entry in entries if _WHOLE.fullmatch(entry))]
        for source, found in keys.items():
            if not set(read).isdisjoint(found):
                complete[source] += read
    return complete


def _extremes(kind: Kind) -> Sequence[Any]:
    if kind == "float":
        return _FLOATS
    if kind in ("integer", "boolean"):
        return _INTEGERS
    dates = [f"{date}T{_TIMES[0]}" for date in (*_DATES, *_MONTHS)] if kind == "timestamp" else _MONTHS
    times = [f"2024-05-06T{time}" for time in _TIMES]
    spoilt = list(_spoil(_MOMENT if kind == "timestamp" else _MOMENT[:10]))
    texts = {"date": [*_DATES, *dates, *spoilt], "timestamp": [*_DATES, *dates, *times, *_HOURS, *spoilt]}
    return [text.encode() for text in (*_TEXTS, *texts.get(kind, ()))]


def _spoil(text: str) -> Iterator[str]:
    """Put the marks just before and after the digits, and the first and last digit, into each place."""
    for place in range(len(text)):
        for mark in "/09:":
            yield f"{text[:place]}{mark}{text[place + 1 :]}"


def _join(column: NDArray[Any], keys: Sequence[Any], extremes: Sequence[Any]) -> NDArray[Any]:
    """Return distinct values of the column's type: missing, extremes, keys and what is next to them."""
    if column.dtype == np.object_:
        texts = [key for key in keys if isinstance(key, bytes)]
        near = [other for key in texts for other in (key.upper(), key.lower(), key + b" ", key[:-1])]
        distinct = list(dict.fromkeys([*extremes, *texts, *near]))
        return as_texts(distinct, (len(distinct),))
    numbers = [key for key in keys if isinstance(key, (int, float)) and not isinstance(key, bool)]
    if column.dtype.kind == "f":
        with np.errstate(over="ignore"):
            found = np.array([*extremes, *numbers], np.float64).astype(np.float32)
        return found[~edge_mask(found)]
    whole = [int(key) for key in numbers if key == key and abs(key) < 2**62]
    near = [key + step for key in whole for step in (-1, 0, 1)]
    return np.array(list(dict.fromkeys([*extremes, *near])), np.int64)


def _grids(values: Columns, base: Columns) -> dict[str, NDArray[Any]]:
    grids: dict[str, NDArray[Any]] = {}
    for name, chosen in values.items():
        if chosen.dtype != np.object_:
            sample = np.sort(base[name])[:: max(1, len(base[name]) // _QUANTILES)]
            grid = np.concatenate([chosen, sample])
            grids[name] = np.unique(grid[np.isfinite(grid)])
    return grids

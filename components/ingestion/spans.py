"""Rolling windows: which of the files whose paths hold a date or a number are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, islice, pairwise, takewhile
from math import gcd

from components.common.config import whole
from components.common.errors import BadInputError
from components.ingestion.sources import SPAN

_DIGITS = {"YYYY": "[0-9]{4}", "MM": "[0-9]{2}", "DD": "[0-9]{2}", "SPAN": "[0-9]+"}
_FORMS = (("YYYY",), ("YYYY", "MM"), ("YYYY", "MM", "DD"), ("SPAN",))


@dataclass(frozen=True)
class Window:
    """The spans of one uri that are read.

    Attributes:
        paths: Those of its paths whose span is in the window, sorted by span, then path.
        missing: How many spans inside the window have no path (yet). Of numbers they are told only where
            three or more have one, and at least half of the steps from the first to the last.
        first_missing: The first of them, at most five, as written in `span`.
    """

    paths: list[str]
    missing: int
    first_missing: list[str]


def glob_of(uri: str) -> str:
    """Return the glob that finds the files of every span."""
    return SPAN.sub("*", uri)


def select_window(
    uri: str, paths: Iterable[str], *, span: str | int | None, window: int | None, where: str
) -> Window:
    """Keep the paths of the newest spans.

    A window counts days, months, years or numbers, whether there is a file for each or not: one that
    comes late changes what is read, and nothing else moves.

    Args:
        uri: With `{YYYY}`, `{YYYY}` and `{MM}`, all three with `{DD}`, or `{SPAN}`, in any order.
        paths: What the glob found.
        span: The newest span to read, or None for the newest there is.
        window: How many spans, or None for all.
        where: The source, for errors.

    Raises:
        BadInputError: The placeholders make no date and no number, `span` is none, or the window is
            empty.
    """
    form = tuple(name for name in _DIGITS if f"{{{name}}}" in uri)
    if form not in _FORMS:
        fix = "use {YYYY}, {YYYY} with {MM}, {YYYY} with {MM} and {DD}, or {SPAN}"
        raise BadInputError("placeholders make no date and no number", where=where, value=uri, fix=fix)
    pattern = _pattern(uri)
    matches = ((path, pattern.fullmatch(path)) for path in paths)
    found = {path: _number(form, [match[name] for name in form]) for path, match in matches if match}
    known = {path: number for path, number in found.items() if number is not None}
    newest = max(known.values(), default=0) if span is None else _asked(form, span, where)
    oldest = min(known.values(), default=0) if window is None else newest - int(whole(window)) + 1
    kept = sorted((number, path) for path, number in known.items() if oldest <= number <= newest)
    if not kept:
        value = f"{len(known)} files of other spans" if known else uri
        raise BadInputError(
            "no file is in the window", where=where, value=value, fix="correct the path or `span`"
        )
    missing, first = _gaps(sorted({*known.values()}), oldest, newest, regular=form != ("SPAN",))
    return Window([path for _, path in kept], missing, [_written(form, number) for number in first])


def _gaps(known: Sequence[int], oldest: int, newest: int, *, regular: bool) -> tuple[int, list[int]]:
    """Count the numbers from `oldest` to `newest` that are not known, and return the first of them.

    Args:
        known: All that are there, sorted, at least one.
        oldest: The first of the window.
        newest: Its last.
        regular: Each number is a step; else the steps are found, or there are none.
    """
    step = 1 if regular else gcd(*(after - before for before, after in pairwise(known))) or 1
    if not regular and (len(known) < 3 or 2 * len(known) < (known[-1] - known[0]) // step + 1):
        return 0, []
    first = max(oldest, 1 if regular else known[0])
    first += (known[0] - first) % step
    have = {number for number in known if first <= number <= newest}
    missing = max(0, (newest - first) // step + 1) - len(have)
    places = takewhile(lambda number: number <= newest, count(first, step))
    return missing, list(islice((number for number in places if number not in have), 5))


def _pattern(uri: str) -> re.Pattern[str]:
    """Return what a path must look like: a name's second occurrence repeats the first."""
    parts: list[str] = []
    seen: set[str] = set()
    for index, part in enumerate(SPAN.split(uri)):
        if index % 2 == 0:
            parts.append(_glob_pattern(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>{_DIGITS[part]})")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


def _glob_pattern(text: str) -> str:
    pieces = re.split(r"(\*\*/|\*|\?)", text)
    special = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return "".join(special.get(piece, re.escape(piece)) for piece in pieces)


def _number(form: Sequence[str], digits: Sequence[str]) -> int | None:
    """Count spans, so that neighbours differ by one; None for what is no date."""
    numbers = [int(text) for text in digits]
    if form == ("YYYY", "MM"):
        return numbers[0] * 12 + numbers[1] - 1 if 1 <= numbers[1] <= 12 else None
    if len(form) == 1:
        return numbers[0]
    try:
        return date(*numbers).toordinal()
    except ValueError:
        return None


def _written(form: Sequence[str], number: int) -> str:
    if form == ("YYYY", "MM"):
        return f"{number // 12:04d}-{number % 12 + 1:02d}"
    return str(number) if len(form) == 1 else date.fromordinal(number).isoformat()


def _asked(form: Sequence[str], span: object, where: str) -> int:
    digits = str(whole(span)).split("-")
    number = _number(form, digits) if len(digits) == len(form) and all(map(str.isdecimal, digits)) else None
    if number is None:
        form_of = {1: "a number, such as 17", 2: "`2013-06`", 3: "`2013-06-30`"}[len(form)]
        raise BadInputError("not a span", where=f"{where}.span", value=span, fix=f"write {form_of}")
    return number

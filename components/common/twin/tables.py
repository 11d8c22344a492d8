"""Operations that look up: entries of vocabularies, and places among sorted bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal

import numpy as np

from components.common.twin.kinds import (
    Attributes,
    Maker,
    Operation,
    Values,
    array_type,
    as_texts,
    flush,
)
from components.common.twin.program import Table

_FEW = 64  # keys, up to which a dictionary is faster than a search among sorted whole numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Lookup:
    """A table in two forms.

    Attributes:
        entries: Values by key.
        keys: The keys sorted, `[entries]`, where they are whole numbers; else none.
        values: In the order of `keys`.
    """

    entries: Mapping[Any, Any]
    keys: Values
    values: Values


def table_lookup(table: Table) -> Lookup:
    """Return a table as what `LookupTableFindV2` is computed with."""
    entries = dict(zip(table.keys.tolist(), table.values.tolist(), strict=True))
    order = np.argsort(table.keys) if table.keys.dtype.kind == "i" else np.arange(0)
    return Lookup(entries=entries, keys=table.keys[order], values=table.values[order])


def _find(table: Lookup, keys: Values, default: Values) -> Values:
    if len(table.keys) and keys.size > _FEW:
        places = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
        return np.where(table.keys[places] == keys, table.values[places], default)
    found = map(table.entries.get, keys.ravel().tolist(), repeat(default.item()))
    if default.dtype == np.object_:
        return as_texts(list(found), keys.shape)
    return np.fromiter(found, default.dtype, keys.size).reshape(keys.shape)


def _bucketize(attributes: Attributes) -> Operation:
    bounds = np.array(attributes["boundaries"], np.float32)

    def bucketize(values: Values) -> Values:
        numbers = values.astype(np.float32) if values.dtype.kind == "i" else flush(values)
        return np.searchsorted(bounds, numbers, side="right").astype(np.int32)

    return bucketize


def _bound(side: Literal["left", "right"]) -> Maker:
    def make(attributes: Attributes) -> Operation:
        kind = array_type(attributes["out_type"])

        def bound(sorted_rows: Values, values: Values) -> Values:
            rows = zip(flush(sorted_rows), flush(values), strict=True)
            return np.stack([_places(row, wanted, side) for row, wanted in rows]).astype(kind)

        return bound

    return make


def _places(row: Values, wanted: Values, side: Literal["left", "right"]) -> Values:
    places = np.searchsorted(row, wanted, side=side)
    if side == "left" and wanted.dtype.kind == "f":
        return np.where(np.isnan(wanted), 0, places)  # for NumPy NaN is the largest number
    return places


FUNCTIONS: Mapping[str, Operation] = {"LookupTableFindV2": _find}

MAKERS: Mapping[str, Maker] = {
    "Bucketize": _bucketize, "LowerBound": _bound("left"), "UpperBound": _bound("right"),
}  # fmt: skip

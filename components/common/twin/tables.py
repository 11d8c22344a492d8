"""Operations that look up: entries of vocabularies, and places among sorted bounds."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat
from typing import Any, Literal

import numpy as np

from components.common.twin.kinds import Attributes, Maker, Operation, Values, array_type, as_texts
from components.common.twin.program import Table

Lookup = Mapping[Any, Any]


def table_lookup(table: Table) -> Lookup:
    """Return a table as what `LookupTableFindV2` is computed with."""
    return dict(zip(table.keys.tolist(), table.values.tolist(), strict=True))


def _find(table: Lookup, keys: Values, default: Values) -> Values:
    found = map(table.get, keys.ravel().tolist(), repeat(default.item()))
    if default.dtype == np.object_:
        return as_texts(list(found), keys.shape)
    return np.fromiter(found, default.dtype, keys.size).reshape(keys.shape)


def _bucketize(attributes: Attributes) -> Operation:
    bounds = np.array(attributes["boundaries"], np.float32)

    def bucketize(values: Values) -> Values:
        numbers = values.astype(np.float32) if values.dtype.kind == "i" else values
        return np.searchsorted(bounds, numbers, side="right").astype(np.int32)

    return bucketize


def _bound(side: Literal["left", "right"]) -> Maker:
    def make(attributes: Attributes) -> Operation:
        kind = array_type(attributes["out_type"])

        def bound(sorted_rows: Values, values: Values) -> Values:
            rows = zip(sorted_rows, values, strict=True)
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

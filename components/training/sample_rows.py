"""Making raw rows out of the statistics: examples for the signature, questions for the export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2 as generated

from components.common.artifacts import Kind
from components.common.errors import BadInputError

statistics_pb2: Any = generated  # its classes are made when it is imported; no checker sees them

_SHARE_MISSING = 0.1
_SHARE_UNSEEN = 0.1
_UNSEEN: dict[Kind, list[Any]] = {
    "integer": [-987_654_321, 2**40],
    "boolean": [7],
    "float": [-1e9, 1e30],
    "string": ["", "\N{SNOWMAN} never seen"],
    "date": ["2024-02-29", "1969-12-31", "2023-02-29", "yesterday"],
    "timestamp": ["2024-02-29T23:59:59", "2024-01-01T24:00:00", "2024-01-01", "now"],
}
_FALLBACK: dict[Kind, list[Any]] = {
    "integer": [0, 1],
    "boolean": [0, 1],
    "float": [0.0, 1.0],
    "string": ["a"],
    "date": ["2024-01-31"],
    "timestamp": ["2024-01-31T12:00:00"],
}


def read_values(statistics: Path, inputs: Mapping[str, Kind]) -> dict[str, list[Any]]:
    """List typical values of each column of the train split, the most typical first, never empty.

    Args:
        statistics: Folder with `statistics.pb`, from data validation.
        inputs: Columns with their kinds.

    Raises:
        BadInputError: The file is missing or malformed.
    """
    file = statistics / "statistics.pb"
    try:
        found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
    except (OSError, DecodeError) as error:
        raise BadInputError(f"statistics cannot be read: {error}", where=file) from error
    train = [dataset for dataset in found.datasets if dataset.name == "train"]
    features = {_name(feature): feature for dataset in train for feature in dataset.features}
    return {name: _values(features.get(name), kind) or _FALLBACK[kind] for name, kind in inputs.items()}


def sample_rows(
    values: Mapping[str, list[Any]], inputs: Mapping[str, Kind], *, rows: int, seed: int
) -> dict[str, list[Any]]:
    """Draw rows of raw values; missing (None) and never seen values are among them.

    Args:
        values: What `read_values` returned.
        inputs: Columns with their kinds.
        rows: How many; row 0 is missing throughout, row 1 is unseen throughout.
        seed: Of the draw.
    """
    generator = np.random.default_rng(seed)
    return {name: _column(generator, values[name], _UNSEEN[kind], rows) for name, kind in inputs.items()}


def _column(generator: np.random.Generator, seen: list[Any], unseen: list[Any], rows: int) -> list[Any]:
    draws = generator.random(rows)
    picks = generator.integers(0, 2**31, rows)
    column = [
        None if draw < _SHARE_MISSING
        else unseen[pick % len(unseen)] if draw < _SHARE_MISSING + _SHARE_UNSEEN
        else seen[pick % len(seen)]
        for draw, pick in zip(draws, picks, strict=True)
    ]  # fmt: skip
    return [None, unseen[0], *column][:rows]


def _name(feature: Any) -> str:
    return feature.name or ".".join(feature.path.step)


def _values(feature: Any, kind: Kind) -> list[Any]:
    if feature is None:
        return []
    if kind in ("string", "date", "timestamp"):
        ranked = [bucket.label for bucket in feature.string_stats.rank_histogram.buckets]
        return list(dict.fromkeys([top.value for top in feature.string_stats.top_values] + ranked))
    statistics = feature.num_stats
    edges = [edge for histogram in statistics.histograms for edge in _edges(histogram)]
    numbers = [number for number in (statistics.median, *edges) if np.isfinite(number)]
    if kind == "float":
        return list(dict.fromkeys(numbers))
    return list(dict.fromkeys(round(number) for number in numbers if abs(number) < 2**53))


def _edges(histogram: Any) -> list[float]:
    return [edge for bucket in histogram.buckets for edge in (bucket.low_value, bucket.high_value)]

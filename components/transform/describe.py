"""Describing what the graph gives: name, column, encoding and size of every transformed feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.common.errors import BadInputError
from components.transform.derive import Derived
from components.transform.library import tf, tft
from components.transform.preprocess import CALENDAR_SIZES, vocabulary_name

Feature = dict[str, Any]


def describe_derived(transform_graph: Path, derived: Sequence[Derived]) -> list[Feature]:
    """List the features of derived columns, in the columns' order.

    Args:
        transform_graph: The analysed graph; it knows the sizes of vocabularies.
        derived: The columns, as they were given to the analysis.
    """
    graph = tft.TFTransformOutput(str(transform_graph))
    features: list[Feature] = []
    for column in derived:
        features += [
            _feature(f"{column.column}.{part}", column.column, size)
            for part, size in _parts(graph, column).items()
        ]
    return features


def describe_outputs(transform_graph: Path, largest: Mapping[str, int] | None = None) -> list[Feature]:
    """List the features of the user's own preprocessing function, by name.

    Args:
        transform_graph: The analysed graph.
        largest: Largest value of each index in the train split; None leaves sizes open (1).

    Raises:
        BadInputError: The function has no output.
    """
    specification = tft.TFTransformOutput(str(transform_graph)).transformed_feature_spec()
    if not specification:
        raise BadInputError("`preprocessing_fn` has no output", where="parameter `module_uri`")
    indices = {name for name, spec in specification.items() if tf.as_dtype(spec.dtype).is_integer}
    sizes = {name: (largest or {}).get(name, -1) + 2 for name in indices}  # and one for values beyond
    return [_feature(name, None, sizes.get(name, 0)) for name in sorted(specification)]


def _parts(graph: Any, column: Derived) -> dict[str, int]:
    indicator = {"missing": 0} if column.indicator else {}
    if column.encoding == "category":
        return {"index": graph.vocabulary_size_by_name(vocabulary_name(column)) + 2}
    if column.encoding == "hash":
        return {"index": column.size + 1}
    if column.encoding == "number":
        return {"number": 0, **indicator}
    names = ("month", "day", "weekday", *(["hour"] if column.kind == "timestamp" else []))
    return {name: CALENDAR_SIZES[name] for name in names} | {"days": 0} | indicator


def _feature(name: str, column: str | None, size: int) -> Feature:
    """Describe one feature; size 0 is a number."""
    encoding = "index" if size else "number"
    return {"name": name, "column": column, "encoding": encoding, "size": size or 1}

"""What training saw of each input, to notice values that a model was never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.common.artifacts import Signature
from components.common.encoding import Values, missing_mask
from components.common.errors import BadInputError
from components.common.wire import WireError, fields, messages, text

# Field numbers of tensorflow_metadata/proto/v0/statistics.proto.
_DATASETS, _FEATURES, _PATH, _STEP, _NUMBERS, _STRINGS = 1, 3, 8, 1, 3, 4
_LOWEST, _HIGHEST, _UNIQUE, _RANKS, _BUCKETS, _LABEL = 5, 7, 2, 5, 1, 4


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What training saw.

    Attributes:
        ranges: Lowest and highest value by input that is a number.
        values: All values by input that is a text, of those whose values are all in the statistics.
    """

    ranges: Mapping[str, tuple[float, float]]
    values: Mapping[str, frozenset[bytes]]

    def anomalies(self, columns: Mapping[str, Values]) -> dict[tuple[str, str], int]:
        """Count, by input and kind, the values that are missing, out of range, or were never seen.

        Args:
            columns: Encoded columns.
        """
        found: dict[tuple[str, str], int] = {}
        for name, values in columns.items():
            if self._is_known(name, values):
                continue
            missing = missing_mask(values)
            if count := int(missing.sum()):
                found[name, "missing"] = count
            if name in self.ranges:
                lowest, highest = self.ranges[name]
                outside = ((values < lowest) | (values > highest)) & ~missing
                if count := int(outside.sum()):
                    found[name, "out_of_range"] = count
            elif name in self.values:
                known = self.values[name]
                count = sum(value not in known for value in values.tolist()) - found.get(
                    (name, "missing"), 0
                )
                if count:
                    found[name, "unseen"] = count
        return found

    def _is_known(self, name: str, values: Values) -> bool:
        """Tell at once that there is nothing to count, as is usual; what is missing is not known."""
        if name in self.ranges:
            lowest, highest = self.ranges[name]
            return bool(((values >= lowest) & (values <= highest)).all())
        return name in self.values and self.values[name].issuperset(values.tolist())


def read_expected(folder: Path, signature: Signature) -> Expected:
    """Read `statistics.pb` of a complete model; inputs that it says nothing of are left out.

    Args:
        folder: A complete model.
        signature: Its inputs.

    Raises:
        BadInputError: `statistics.pb` is no protocol buffer.
    """
    kinds = {entry["name"]: entry["datatype"] for entry in signature.inputs}
    ranges: dict[str, tuple[float, float]] = {}
    known: dict[str, frozenset[bytes]] = {}
    for feature in _features(folder / "statistics.pb"):
        name = next((text(path, _STEP) for path in messages(feature, _PATH)), "")
        if kinds.get(name) == "BYTES":
            for strings in messages(feature, _STRINGS):
                if (values := _all_values(strings)) is not None:
                    known[name] = values
        elif name in kinds:
            for numbers in messages(feature, _NUMBERS):
                ranges[name] = _range(numbers)
    return Expected(ranges=ranges, values=known)


def _features(file: Path) -> list[memoryview]:
    """Return the features of the first dataset, the train split; none when the file says nothing."""
    try:
        datasets = list(messages(memoryview(file.read_bytes()), _DATASETS))
        return list(messages(datasets[0], _FEATURES)) if datasets else []
    except WireError as error:
        raise BadInputError(
            f"not statistics: {error}", where=file, fix="evaluate the model again"
        ) from error


def _range(numbers: memoryview) -> tuple[float, float]:
    found = {number: content for number, content in fields(numbers) if isinstance(content, float)}
    return found.get(_LOWEST, 0.0), found.get(_HIGHEST, 0.0)  # zero is left out of a protocol buffer


def _all_values(strings: memoryview) -> frozenset[bytes] | None:
    unique = next((content for number, content in fields(strings) if number == _UNIQUE), 0)
    values = frozenset(
        text(bucket, _LABEL).encode()
        for ranks in messages(strings, _RANKS)
        for bucket in messages(ranks, _BUCKETS)
    )
    return values if len(values) == unique else None

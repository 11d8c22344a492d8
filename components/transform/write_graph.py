"""Writing the graph of derived features from what was measured: no Beam."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.common.artifacts import Kind
from components.common.saved_models import order_nodes
from components.transform.derive import Derived
from components.transform.library import impl_helper, tf
from components.transform.measure import Measured
from components.transform.preprocess import derived_preprocessing, input_types, vocabulary_name


class MeasuredAnalysis:
    """An `Analysis` whose answers are constants."""

    def __init__(self, columns: Mapping[str, Measured]) -> None:
        """Take what was measured, by column."""
        self._columns = columns

    def clip(self, feature: Derived, numbers: Any, known: Any) -> Any:
        """Return numbers clipped to constants, or as they are."""
        del known
        bounds = self._columns[feature.column].clip
        return tf.clip_by_value(numbers, *bounds) if bounds else numbers

    def moments(self, feature: Derived, known: Any) -> tuple[Any, Any]:
        """Return constants."""
        del known
        measured = self._columns[feature.column]
        return tf.constant(measured.mean, tf.float64), tf.constant(measured.deviation, tf.float64)

    def vocabulary(self, feature: Derived, known: Any) -> Any:
        """Return the file in the working directory."""
        del known
        return vocabulary_name(feature)


def write_graph(
    derived: Sequence[Derived],
    inputs: Mapping[str, Kind],
    columns: Mapping[str, Measured],
    *,
    transform_graph: Path,
) -> None:
    """Write the graph of derived features in TFT's own layout.

    Args:
        derived: The features.
        inputs: Columns that the graph takes, with their kinds, in order.
        columns: What was measured, by column.
        transform_graph: Folder to write.
    """
    target = transform_graph.absolute()
    types = input_types(inputs)
    # Names of files get into the graph: relative ones keep paths of this machine out of it.
    with tempfile.TemporaryDirectory(prefix="transform-") as work, contextlib.chdir(work):
        for feature in derived:
            if feature.encoding == "category":
                lines = b"".join(entry + b"\n" for entry in columns[feature.column].vocabulary)
                Path(vocabulary_name(feature)).write_bytes(lines)
        impl_helper.analyze_in_place(
            derived_preprocessing(derived, MeasuredAnalysis(columns)), force_tf_compat_v1=False,
            feature_specs=types, type_specs=types, transform_output_path="graph",
        )  # fmt: skip
        order_nodes(Path("graph/transform_fn"))
        shutil.copytree("graph", target)

"""What this room passes around, under names that a type checker can follow.

`tensorflow_metadata` makes its classes at run time and, like pyarrow, ships no types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tensorflow_metadata.proto.v0 import anomalies_pb2, path_pb2, schema_pb2, statistics_pb2

ArrowTable: TypeAlias = Any
ArrowColumn: TypeAlias = Any  # pyarrow.Array: one chunk
Numbers: TypeAlias = Any  # numpy array of float64, one dimension

_anomalies: Any = anomalies_pb2
_path: Any = path_pb2
_schema: Any = schema_pb2
_statistics: Any = statistics_pb2

if TYPE_CHECKING:

    class Anomalies(Any):
        """`anomalies_pb2.Anomalies`."""

    class Schema(Any):
        """`schema_pb2.Schema`."""

    class SchemaFeature(Any):
        """`schema_pb2.Feature`."""

    class StringDomain(Any):
        """`schema_pb2.StringDomain`."""

    class Statistics(Any):
        """`statistics_pb2.DatasetFeatureStatisticsList`: a dataset per split."""

    class SplitStatistics(Any):
        """`statistics_pb2.DatasetFeatureStatistics`: one split."""

    class FeatureStatistics(Any):
        """`statistics_pb2.FeatureNameStatistics`: one column of one split."""

else:
    Anomalies = _anomalies.Anomalies
    Schema = _schema.Schema
    SchemaFeature = _schema.Feature
    StringDomain = _schema.StringDomain
    Statistics = _statistics.DatasetFeatureStatisticsList
    SplitStatistics = _statistics.DatasetFeatureStatistics
    FeatureStatistics = _statistics.FeatureNameStatistics

AnomalyType = _anomalies.AnomalyInfo.Type
Measurement = _anomalies.DriftSkewInfo.Measurement
Histogram = _statistics.Histogram
Path = _path.Path
BYTES, FLOAT, INTEGER = _schema.BYTES, _schema.FLOAT, _schema.INT

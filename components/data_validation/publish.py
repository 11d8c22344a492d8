"""Writing what validation found: the same content gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from google.protobuf import text_format

from components.common.artifacts import Verdict, write_verdict
from components.common.documents import write_json
from components.common.storage import publishing
from components.data_validation.check_spread import allowed_distance
from components.data_validation.compare import Distance
from components.data_validation.config import ValidationConfig
from components.data_validation.messages import Anomalies, Measurement, Schema, Statistics
from components.data_validation.messages import Path as ProtoPath
from components.data_validation.rules import Finding

_MEASURES = {
    "Jensen-Shannon divergence": Measurement.JENSEN_SHANNON_DIVERGENCE,
    "largest change of a share": Measurement.L_INFTY,
}


def publish_statistics(folder: Path, statistics: Statistics) -> None:
    """Write `statistics.pb` into a new folder."""
    with publishing(folder) as draft:
        draft.mkdir()
        (draft / "statistics.pb").write_bytes(statistics.SerializeToString(deterministic=True))


def publish_schema(folder: Path, schema: Schema) -> None:
    """Write `schema.pbtxt` into a new folder."""
    with publishing(folder) as draft:
        draft.mkdir()
        (draft / "schema.pbtxt").write_text(text_format.MessageToString(schema), encoding="utf-8")


def publish_anomalies(
    folder: Path,
    verdict: Verdict,
    findings: Sequence[tuple[Finding, str]],
    anomalies: Anomalies,
    drift: Mapping[str, Distance],
    config: ValidationConfig,
) -> None:
    """Write `verdict.json`, `anomalies.json` and `anomalies.pbtxt` into a new folder.

    Args:
        folder: The artifact.
        verdict: Passed, outcome and reasons.
        findings: Every finding with its severity, in order.
        anomalies: What TFDV said; the measured drift is added to a copy of it.
        drift: Distance from the baseline by column.
        config: Gives the allowed drift.
    """
    lines = [_line(finding, severity) for finding, severity in findings]
    text = text_format.MessageToString(_with_drift(anomalies, drift, config))
    with publishing(folder) as draft:
        draft.mkdir()
        write_verdict(draft, verdict)
        write_json(draft / "anomalies.json", {"findings": lines})
        (draft / "anomalies.pbtxt").write_text(text, encoding="utf-8")


def _line(finding: Finding, severity: str) -> dict[str, object]:
    fields = asdict(finding)
    del fields["severity"]  # what was asked for; what it came to stands in its place
    head = {name: fields.pop(name) for name in ("rule", "feature", "split")}
    return {**head, "severity": severity, **fields}


def _with_drift(anomalies: Anomalies, drift: Mapping[str, Distance], config: ValidationConfig) -> Anomalies:
    told = Anomalies()
    told.CopyFrom(anomalies)
    for name, distance in drift.items():
        info = told.drift_skew_info.add(path=ProtoPath(step=[name]))
        threshold = allowed_distance(name, distance, config, config.max_drift)
        kind = _MEASURES[distance.measure]
        info.drift_measurements.add(type=kind, value=distance.value, threshold=threshold)
    return told

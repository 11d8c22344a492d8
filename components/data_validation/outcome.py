"""What came of validating one batch; the report, the files and the verdict are made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from components.common.artifacts import Verdict
from components.data_validation.compare import Distance
from components.data_validation.correlate import Association
from components.data_validation.describe import Batch
from components.data_validation.messages import Anomalies, Schema
from components.data_validation.read import Baseline
from components.data_validation.rules import Finding


@dataclass(frozen=True, kw_only=True, slots=True)
class Validation:
    """What came of checking one batch.

    Attributes:
        version: The snapshot's version.
        batch: The batch, described.
        baseline: What it was compared with, or None.
        drift: Distance of each comparable column from the baseline; empty without one.
        exempt: Columns that are not compared, with the reason.
        power: How well each column alone foretells the label, in [0, 1].
        associations: How closely pairs of columns are bound, the closest first.
        findings: Every breach that is not off, errors first, with its severity.
        anomalies: TFDV's own words about the train split.
        verdict: Passed, outcome and reasons.
        schema: The schema for what follows.
    """

    version: str
    batch: Batch
    baseline: Baseline | None
    drift: Mapping[str, Distance]
    exempt: Mapping[str, str]
    power: Mapping[str, float]
    associations: list[Association]
    findings: list[tuple[Finding, str]]
    anomalies: Anomalies
    verdict: Verdict
    schema: Schema

    def count(self, severity: str) -> int:
        """Return the number of findings of a severity."""
        return Counter(found for _, found in self.findings)[severity]

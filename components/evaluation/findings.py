"""All that was found about one model; what is published and reported is read from here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from components.common.artifacts import Evaluation, Verdict
from components.evaluation.check import Check
from components.evaluation.check_sanity import SanityTest
from components.evaluation.compare_groups import Gap
from components.evaluation.config import EvaluationConfig
from components.evaluation.estimate import Estimate
from components.evaluation.judged import Judged
from components.evaluation.measure import measure_classes
from components.evaluation.measure_calibration import CalibrationPoint, draw_points
from components.evaluation.permute import Importance
from components.evaluation.predict import LoadedModel
from components.evaluation.prove_twin import TwinProof
from components.evaluation.read import LabelledRows
from components.evaluation.search_slices import Search
from components.evaluation.slice import Slices
from components.evaluation.thresholds import Thresholds
from components.evaluation.trace import count_confusion


@dataclass(frozen=True, kw_only=True)
class Findings:
    """One model, judged.

    Attributes:
        recipe: Digest of what the run makes models from.
        digest: Model digest.
        model: The model.
        rows: What it was asked, and the labels.
        judged: What it answered, with metrics and comparisons.
        slices: Metrics by value of columns.
        search: Weak slices that were looked for.
        gaps: Between groups.
        importance: What each column is worth.
        sanity: Expectations, tried.
        thresholds: What was asked for.
        twin: Whether its twin answers as it does.
        checks: What was held against it.
        verdict: The decision.
        personal: Columns whose values are not published.
        config: The room's knobs.
    """

    recipe: str
    digest: str
    model: LoadedModel
    rows: LabelledRows
    judged: Judged
    slices: Slices
    search: Search
    gaps: list[Gap]
    importance: list[Importance]
    sanity: list[SanityTest]
    thresholds: Thresholds
    twin: TwinProof
    checks: list[Check]
    verdict: Verdict
    personal: frozenset[str]
    config: EvaluationConfig

    @property
    def classes(self) -> list[dict[str, Estimate]]:
        """Metrics of each class against the others; of a multi-class model only."""
        judged = self.judged
        return measure_classes(judged.labels, judged.answers) if judged.task == "multiclass" else []

    @property
    def calibration(self) -> list[CalibrationPoint]:
        """The calibration curve: of class 1, or of the class answered; empty for a regression."""
        if self.judged.task == "regression" or not self.judged.estimates:
            return []
        answers, labels = self.judged.answers.astype(np.float64), self.judged.labels
        if answers.ndim == 1:
            return draw_points((labels == 1).astype(np.float64), answers)
        return draw_points((answers.argmax(axis=1) == labels).astype(np.float64), answers.max(axis=1))

    def as_evaluation(self) -> Evaluation:
        """Return what `evaluation.json` holds."""
        judged = self.judged
        others = {"constant": judged.constant, "reference": judged.reference}
        return Evaluation(
            recipe=self.recipe,
            model=self.digest,
            baseline=judged.baseline.as_mapping() if judged.baseline else None,
            rows=self.rows.rows,
            metrics=_bounds(judged.estimates),
            slices=[found.as_mapping() for found in self.slices.measured],
            thresholds=self.thresholds.as_mapping(),
            passed=self.verdict.passed,
            reasons=self.verdict.reasons,
            decision=self._decision(),
            classes=self._classes(),
            calibration=[asdict(point) for point in self.calibration],
            confusion=self._confusion(),
            comparisons={name: found.as_mapping() for name, found in others.items() if found},
            weak_slices={
                "tested": self.search.tested,
                "more": self.search.more,
                "found": [found.as_mapping() for found in self.search.found],
            },
            groups=[gap.as_mapping() for gap in self.gaps],
            importance=[{"column": one.column, **one.harm.bounds()} for one in self.importance],
            sanity=[asdict(test) for test in self.sanity],
            twin=asdict(self.twin),
        )

    def as_metrics(self) -> dict[str, float]:
        """Return flat, finite numbers: `auc`, `auc_low`, `auc_high`, …, `baseline_auc`, …, `rows`."""
        numbers: dict[str, float] = {"rows": float(self.rows.rows)}
        for name, estimate in self.judged.estimates.items():
            numbers |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        for prefix, other in (("baseline", self.judged.baseline), ("reference", self.judged.reference)):
            before = other.estimates if other else {}
            numbers |= {f"{prefix}_{name}": estimate.value for name, estimate in before.items()}
        return numbers

    def _decision(self) -> dict[str, Any] | None:
        if self.judged.task != "binary":
            return None
        decision = self.judged.decision
        chosen = "given: one half" if decision.costs is None else "cheapest on the eval split"
        costs = dict(zip(("false_positive", "false_negative"), decision.costs or (), strict=False))
        return {"threshold": decision.threshold, "chosen": chosen, "costs": costs or None}

    def _classes(self) -> list[dict[str, Any]]:
        names = self.model.record.classes
        counts = np.bincount(self.judged.labels, minlength=len(names)) if self.classes else ()
        return [
            {"class": name, "rows": int(count), "metrics": _bounds(found)}
            for name, count, found in zip(names, counts, self.classes, strict=False)
        ]

    def _confusion(self) -> list[list[int]]:
        if self.judged.task == "regression" or not self.judged.estimates:
            return []
        return count_confusion(self.judged, len(self.model.record.classes)).tolist()


def _bounds(estimates: dict[str, Estimate]) -> dict[str, dict[str, float]]:
    return {name: estimate.bounds() for name, estimate in estimates.items()}

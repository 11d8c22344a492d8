"""All that was found about one model; what is published and reported is read from here."""

from __future__ import annotations

from dataclasses import dataclass

from components.common.artifacts import Evaluation, Verdict
from components.evaluation.config import EvaluationConfig
from components.evaluation.judge import Check, Judged
from components.evaluation.predict import LoadedModel
from components.evaluation.read import LabelledRows
from components.evaluation.slice import Slices
from components.evaluation.thresholds import Thresholds


@dataclass(frozen=True, kw_only=True)
class Findings:
    """One model, judged.

    Attributes:
        recipe: Digest of what the run makes models from.
        digest: Model digest.
        model: The model.
        rows: What it was asked, and the labels.
        judged: What it answered, with metrics and comparison.
        slices: Metrics by value of columns.
        thresholds: What was asked for.
        checks: What was held against it.
        verdict: The decision.
        config: The room's knobs.
    """

    recipe: str
    digest: str
    model: LoadedModel
    rows: LabelledRows
    judged: Judged
    slices: Slices
    thresholds: Thresholds
    checks: list[Check]
    verdict: Verdict
    config: EvaluationConfig

    def as_evaluation(self) -> Evaluation:
        """Return what `evaluation.json` holds."""
        comparison = self.judged.comparison
        return Evaluation(
            recipe=self.recipe,
            model=self.digest,
            baseline=comparison.as_mapping() if comparison else None,
            rows=self.rows.rows,
            metrics={name: estimate.bounds() for name, estimate in self.judged.estimates.items()},
            slices=[found.as_mapping() for found in self.slices.measured],
            thresholds=self.thresholds.as_mapping(),
            passed=self.verdict.passed,
            reasons=self.verdict.reasons,
        )

    def as_metrics(self) -> dict[str, float]:
        """Return flat, finite numbers: `auc`, `auc_low`, `auc_high`, …, `baseline_auc`, …, `rows`."""
        numbers: dict[str, float] = {"rows": float(self.rows.rows)}
        for name, estimate in self.judged.estimates.items():
            numbers |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        before = self.judged.comparison.estimates if self.judged.comparison else {}
        return numbers | {f"baseline_{name}": estimate.value for name, estimate in before.items()}

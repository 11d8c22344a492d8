"""The work of data validation: paths in, a verdict out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from components.common.artifacts import Verdict, read_snapshot
from components.common.errors import BadInputError
from components.data_validation import check
from components.data_validation.compare import Distance
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch, describe_batch
from components.data_validation.infer import infer_schema, revise_schema
from components.data_validation.library import tfdv
from components.data_validation.messages import Anomalies, Schema, Statistics
from components.data_validation.outcome import Validation
from components.data_validation.publish import publish_anomalies, publish_schema, publish_statistics
from components.data_validation.read import Baseline, read_baseline, read_examples
from components.data_validation.report import write_report
from components.data_validation.rules import RULES, Finding


def validate_examples(
    examples: Path,
    snapshot: Path,
    baseline: Path,
    *,
    label: str,
    statistics: Path,
    schema: Path,
    anomalies: Path,
    report: Path,
    config: ValidationConfig,
) -> Validation:
    """Describe one batch, hold it against schema, baseline and plain sense, and write down the outcome.

    Args:
        examples: Folder with Parquet files per split, from ingestion.
        snapshot: Folder with `snapshot.json`, from ingestion.
        baseline: Folder with the model that now serves, or `no_baseline.json`, from `resolve_baseline`.
        label: Column to be learnt.
        statistics: Folder to write: `statistics.pb`.
        schema: Folder to write: `schema.pbtxt`. Without a baseline inferred; else the baseline's, with
            what the policy let pass taken in, or untouched when the batch did not pass.
        anomalies: Folder to write: `verdict.json`, `anomalies.json`, `anomalies.pbtxt`.
        report: HTML file to write.
        config: Thresholds and severities.

    Returns:
        The outcome; a bad batch is one, not an error. The same inputs give the same bytes.

    Raises:
        BadInputError: Examples, snapshot or baseline are missing or malformed, or `config.may_drift`
            names no column.
    """
    source, known = read_snapshot(snapshot), read_baseline(baseline)
    batch = describe_batch(read_examples(examples, source), source.columns)
    _require_columns(config.may_drift, batch, known)
    validation = judge_batch(batch, known, label=label, version=source.version, config=config)
    publish_statistics(statistics, batch.statistics)
    publish_schema(schema, validation.schema)
    publish_anomalies(
        anomalies, validation.verdict, validation.findings, validation.anomalies, validation.drift, config
    )
    write_report(report, validation, label)
    return validation


def _require_columns(names: Collection[str], batch: Batch, baseline: Baseline | None) -> None:
    before = [feature.name for feature in baseline.schema.feature] if baseline else []
    for name in names:
        if name not in (*batch.columns, *before):
            where, fix = "parameter `validation.may_drift`", f"columns: {', '.join(batch.columns)}"
            raise BadInputError("unknown column", where=where, value=name, fix=fix)


def judge_batch(
    batch: Batch, baseline: Baseline | None, *, label: str, version: str, config: ValidationConfig
) -> Validation:
    """Run every check that applies and settle verdict and schema; writes nothing."""
    inferred = infer_schema(batch, max_domain_values=config.max_domain_values)
    anomalies = _ask_tfdv(batch, baseline.schema if baseline else inferred)
    drift = check.measure_drift(batch, baseline, config) if baseline else {}
    found = list(_check(batch, baseline, label, drift, config))
    told = {finding.feature for finding in found if finding.feature and finding.rule in _ABOUT_TYPE}
    found.extend(check.check_schema(anomalies, told))
    findings = _rank(found, config)
    passed = all(severity != "error" for _, severity in findings)
    schema = inferred if baseline is None else baseline.schema
    if baseline and passed:
        schema = revise_schema(baseline.schema, inferred)
    return Validation(
        version=version, batch=batch, baseline=baseline, drift=drift, findings=findings,
        anomalies=anomalies, verdict=_verdict(passed, findings, baseline), schema=schema,
    )  # fmt: skip


_ABOUT_TYPE = (
    "column_vanished", "column_new", "type_changed", "column_empty", "missing_values", "missing_rose",
)  # fmt: skip


def _check(
    batch: Batch,
    baseline: Baseline | None,
    label: str,
    drift: Mapping[str, Distance],
    config: ValidationConfig,
) -> Iterator[Finding]:
    yield from check.check_label(batch, label)
    yield from check.check_rows(batch, baseline, config)
    yield from check.check_values(batch, label)
    yield from check.check_skew(batch, config)
    if baseline:
        yield from check.check_columns(batch, baseline)
        yield from check.check_missing(batch, baseline, config)
        yield from check.check_domains(batch, baseline)
        yield from check.check_drift(drift, config)


def _ask_tfdv(batch: Batch, schema: Schema) -> Anomalies:
    train = Statistics()
    train.datasets.add().CopyFrom(batch.statistics.datasets[0])
    train.datasets[0].ClearField("name")  # to TFDV a name is that of a slice
    return tfdv().validate_statistics(train, schema)


def _rank(found: list[Finding], config: ValidationConfig) -> list[tuple[Finding, str]]:
    order = list(RULES)
    judged = [(finding, config.severity(finding.rule)) for finding in found]
    kept = [(finding, severity) for finding, severity in judged if severity != "off"]
    return sorted(kept, key=lambda pair: (pair[1], order.index(pair[0].rule), pair[0].feature or ""))


def _verdict(passed: bool, findings: list[tuple[Finding, str]], baseline: Baseline | None) -> Verdict:
    first = "" if baseline else " (no baseline yet)"
    reasons = [finding.message for finding, _ in findings]
    return Verdict(passed=passed, outcome=f"clean{first}" if passed else "anomalous", reasons=reasons)

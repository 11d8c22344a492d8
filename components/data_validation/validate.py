"""The work of data validation: paths in, a verdict out."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from components.common.artifacts import Verdict, read_snapshot
from components.common.errors import BadInputError
from components.data_validation.check_columns import (
    check_columns,
    check_missing,
    check_presence,
    check_rows,
)
from components.data_validation.check_policy import check_policy, require_bounds
from components.data_validation.check_relations import check_duplicates, check_leaks, measure_relations
from components.data_validation.check_spread import (
    check_calendar,
    check_drift,
    check_skew,
    check_vanished_values,
    measure_drift,
)
from components.data_validation.check_values import check_domains, check_label, check_schema, check_values
from components.data_validation.conceal import conceal_baseline, conceal_schema, find_personal
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch, describe_batch
from components.data_validation.find_exempt import find_calendar, find_exempt
from components.data_validation.infer import apply_domains, infer_schema, revise_schema
from components.data_validation.library import tfdv
from components.data_validation.messages import Anomalies, Schema, Statistics
from components.data_validation.outcome import Validation
from components.data_validation.publish import publish_anomalies, publish_schema, publish_statistics
from components.data_validation.read import Baseline, read_baseline, read_examples
from components.data_validation.report import write_report
from components.data_validation.rules import RULES, Finding
from components.data_validation.run_checks import run_checks


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
        BadInputError: Examples, snapshot or baseline are missing or malformed, or the label or
            `config.columns` names a column of neither the batch nor the baseline, a bound is not of its
            column's kind, or a check is no query of one number.
    """
    source, known = read_snapshot(snapshot), read_baseline(baseline)
    personal = find_personal(known, config)
    known = conceal_baseline(known, personal) if known else None
    _require_columns([label], source.columns, known, where="parameter `label`")
    _require_columns(config.columns, source.columns, known, where="parameter `validation.columns`")
    require_bounds(source.columns, config)
    tables = read_examples(examples, source)
    checked = list(run_checks(examples, personal, config))
    batch = describe_batch(tables, source.columns, personal)
    validation = judge_batch(batch, known, checked, label=label, version=source.version, config=config)
    publish_statistics(statistics, batch.statistics)
    publish_schema(schema, validation.schema)
    publish_anomalies(
        anomalies, validation.verdict, validation.findings, validation.anomalies, validation.drift, config
    )
    write_report(report, validation, label)
    return validation


def _require_columns(
    names: Collection[str], columns: Collection[str], baseline: Baseline | None, *, where: str
) -> None:
    before = [feature.name for feature in baseline.schema.feature] if baseline else []
    for name in names:
        if name not in (*columns, *before):
            near = difflib.get_close_matches(name, columns, n=1)
            fix = f"did you mean `{near[0]}`?" if near else f"columns: {', '.join(columns)}"
            raise BadInputError("unknown column", where=where, value=name, fix=fix)


def judge_batch(
    batch: Batch,
    baseline: Baseline | None,
    checked: Sequence[Finding],
    *,
    label: str,
    version: str,
    config: ValidationConfig,
) -> Validation:
    """Run every check that applies and settle verdict and schema; writes nothing.

    Args:
        batch: The batch.
        baseline: What it is held against, or None.
        checked: What the user's checks in SQL found.
        label: Column to be learnt.
        version: The snapshot's.
        config: The policy.
    """
    inferred = _expect(batch, config)
    anomalies = _ask_tfdv(batch, baseline.schema if baseline else inferred)
    calendar = find_calendar(batch, baseline)
    exempt = find_exempt(batch, baseline, calendar, label, config)
    drift = measure_drift(batch, baseline, exempt) if baseline else {}
    power, associations = measure_relations(batch, label)
    found = [
        *checked, *check_label(batch, label, config), *check_rows(batch, baseline, config),
        *check_presence(batch, baseline, label), *check_values(batch, label, config),
        *check_policy(batch, config), *check_calendar(batch, baseline, calendar, config),
        *check_skew(batch, exempt, config), *check_leaks(batch, label, power, config),
        *check_duplicates(batch, associations, config),
    ]  # fmt: skip
    if baseline:
        found += [*_compare(batch, baseline, label, config), *check_drift(batch, baseline, drift, config),
                  *check_vanished_values(batch, baseline, exempt, config)]  # fmt: skip
    told = {finding.feature for finding in found if finding.feature and finding.rule in _ABOUT_TYPE}
    findings = _rank([*found, *check_schema(batch, anomalies, told)], config)
    passed = all(severity != "error" for _, severity in findings)
    schema = inferred if baseline is None else baseline.schema
    if baseline and passed:
        schema = revise_schema(baseline.schema, inferred)
    return Validation(
        version=version, batch=batch, baseline=baseline, drift=drift, exempt=exempt, power=power,
        associations=associations, findings=findings, anomalies=anomalies,
        verdict=_verdict(passed, findings, baseline), schema=schema,
    )  # fmt: skip


_ABOUT_TYPE = (
    "column_vanished", "column_new", "type_changed", "column_empty", "column_emptied", "column_filled",
    "missing_values", "missing_rose",
)  # fmt: skip


def _compare(batch: Batch, baseline: Baseline, label: str, config: ValidationConfig) -> Iterator[Finding]:
    listed = [name for name, policy in config.columns.items() if policy.domain is not None]
    yield from check_columns(batch, baseline, label)
    yield from check_missing(batch, baseline, config)
    yield from (each for each in check_domains(batch, baseline) if each.feature not in listed)


def _expect(batch: Batch, config: ValidationConfig) -> Schema:
    schema = infer_schema(batch, max_domain_values=config.max_domain_values)
    conceal_schema(schema, batch.personal)
    apply_domains(schema, config)
    return schema


def _ask_tfdv(batch: Batch, schema: Schema) -> Anomalies:
    train = Statistics()
    train.datasets.add().CopyFrom(batch.statistics.datasets[0])
    train.datasets[0].ClearField("name")  # to TFDV a name is that of a slice
    return tfdv().validate_statistics(train, schema)


def _rank(found: list[Finding], config: ValidationConfig) -> list[tuple[Finding, str]]:
    order = list(RULES)
    judged = [(finding, config.severity(finding)) for finding in found]
    kept = [(finding, severity) for finding, severity in judged if severity != "off"]
    return sorted(kept, key=lambda pair: (pair[1], order.index(pair[0].rule), pair[0].feature or ""))


def _verdict(passed: bool, findings: list[tuple[Finding, str]], baseline: Baseline | None) -> Verdict:
    first = "" if baseline else " (no baseline yet)"
    reasons = [finding.message for finding, severity in findings if passed or severity == "error"]
    return Verdict(passed=passed, outcome=f"clean{first}" if passed else "anomalous", reasons=reasons)

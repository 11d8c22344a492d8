"""The schema: inferred from a first batch, or the baseline's with what this batch adds."""

from __future__ import annotations

from components.common.artifacts import Kind
from components.data_validation.conceal import is_personal
from components.data_validation.config import ValidationConfig
from components.data_validation.describe import Batch, is_categorical
from components.data_validation.library import tfdv
from components.data_validation.messages import (
    BYTES,
    FLOAT,
    INTEGER,
    Schema,
    SchemaFeature,
    Statistics,
    StringDomain,
)

_TIMES: dict[Kind, str] = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%dT%H:%M:%S"}
_TYPES: dict[Kind, int] = {"integer": INTEGER, "boolean": INTEGER, "float": FLOAT}


def kind_of(feature: SchemaFeature) -> Kind:
    """Return the kind that a feature of a schema stands for; text unless something else is said."""
    if feature.type == FLOAT:
        return "float"
    if feature.type == INTEGER:
        return "boolean" if feature.HasField("bool_domain") else "integer"
    written = feature.time_domain.string_format
    for kind, form in _TIMES.items():
        if form == written:
            return kind
    return "string"


def infer_schema(batch: Batch, *, max_domain_values: int) -> Schema:
    """Infer a schema from the train split.

    Args:
        batch: The batch; kinds come from it and are not guessed.
        max_domain_values: Text of more distinct values gets no list of known values.

    Returns:
        One feature per column, in order, of at most one value; required (`presence.min_fraction` 1)
        where no split has a missing value.
    """
    train = Statistics(datasets=batch.statistics.datasets[:1])
    schema = tfdv().infer_schema(train, infer_feature_shape=False, max_string_domain_size=max_domain_values)
    inferred = {feature.name: feature for feature in schema.feature}
    features = [_settle(inferred.get(name), name, batch) for name in batch.columns]
    domains = {domain.name: domain for domain in schema.string_domain}
    del schema.feature[:]
    schema.feature.extend(features)
    _keep_domains(schema, domains)
    return schema


def _settle(feature: SchemaFeature | None, name: str, batch: Batch) -> SchemaFeature:
    settled, kind = SchemaFeature(name=name), batch.columns[name]
    settled.type = _TYPES.get(kind, BYTES)
    settled.value_count.min = settled.value_count.max = 1
    settled.presence.min_count = 1
    if not _missing(batch, name):
        settled.presence.min_fraction = 1
    if kind == "boolean":
        settled.bool_domain.SetInParent()
    elif kind in _TIMES:
        settled.time_domain.string_format = _TIMES[kind]
    elif kind == "string" and feature is not None and feature.domain and _repeats(batch, name):
        settled.domain = feature.domain
    return settled


def _missing(batch: Batch, name: str) -> int:
    return sum(counts[name].missing for counts in batch.counts.values())


def _repeats(batch: Batch, name: str) -> bool:
    counts = batch.counts["train"][name]
    return is_categorical(counts.distinct, counts.present)


def _keep_domains(schema: Schema, domains: dict[str, StringDomain]) -> None:
    used = [feature.domain for feature in schema.feature if feature.domain]
    del schema.string_domain[:]
    schema.string_domain.extend(domains[name] for name in dict.fromkeys(used))


def apply_domains(schema: Schema, config: ValidationConfig) -> None:
    """Write the values that the policy lists for text columns into a schema, in place."""
    listed = {name: policy.domain for name, policy in config.columns.items() if policy.domain is not None}
    domains = {domain.name: domain for domain in schema.string_domain}
    for feature in schema.feature:
        text = kind_of(feature) == "string" and not is_personal(feature)
        if text and feature.name in listed:
            feature.domain = feature.name
            domains[feature.name] = StringDomain(name=feature.name, value=list(listed[feature.name]))
    _keep_domains(schema, domains)


def revise_schema(expected: Schema, fresh: Schema) -> Schema:
    """Take what the policy let pass into the baseline's schema, for the model that is trained next.

    Args:
        expected: The baseline's schema; what people wrote into it is kept.
        fresh: What `infer_schema` says of a batch that was held against it without an error.

    Returns:
        A feature per column of the batch, in order: the baseline's where the kind is the same, else
        inferred anew; not required where values are missing now; known values are old and new ones.
    """
    known = {feature.name: feature for feature in expected.feature}
    domains = {domain.name: domain for domain in fresh.string_domain}
    revised = Schema()
    revised.CopyFrom(expected)
    del revised.feature[:]
    for feature in fresh.feature:
        old = known.get(feature.name)
        same = old is not None and kind_of(old) == kind_of(feature)
        revised.feature.append(_renew(old, feature) if same and old is not None else feature)
    _keep_domains(revised, _widen(expected, domains))
    return revised


def _renew(old: SchemaFeature, fresh: SchemaFeature) -> SchemaFeature:
    renewed = SchemaFeature()
    renewed.CopyFrom(old)
    if old.presence.min_fraction == 1 and fresh.presence.min_fraction != 1:
        renewed.presence.ClearField("min_fraction")
    if not fresh.domain and old.domain:  # more values than a list should hold
        renewed.ClearField("domain")
    return renewed


def _widen(expected: Schema, fresh: dict[str, StringDomain]) -> dict[str, StringDomain]:
    domains = dict(fresh)
    for domain in expected.string_domain:
        new = fresh[domain.name].value if domain.name in fresh else []
        values = sorted({*domain.value, *new})
        domains[domain.name] = StringDomain(name=domain.name, value=values)
    return domains

"""The model card (Mitchell et al. 2019): what the model is, what it is for, how good, and where not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from components.evaluation.catalogue import PRIMARY, TITLES
from components.evaluation.estimate import Estimate
from components.evaluation.findings import Findings
from components.evaluation.show import show, show_interval, show_value

_MOST_SLICES = 40
_NO_USE = "Not stated; the option `evaluation.intended_use` does."


def write_card(findings: Findings) -> str:
    """Return the card as Markdown; the same findings give the same bytes."""
    record = findings.model.record
    parts = [
        f"# Model card: {_plain(record.label)}",
        f"**{findings.verdict.outcome.capitalize()}** on {findings.rows.rows:,} test rows.",
        "## Model", _list(_describe_model(findings)),
        "## Intended use", _plain(findings.config.intended_use or _NO_USE),
        "## Data", _list(_describe_data(findings)),
        "## Metrics", _metrics(findings.judged.estimates), *_decision(findings),
        "## By slice", _slices(findings), *_weak(findings),
        *_fairness(findings),
        "## Compared with others", _others(findings),
        "## Limits", _list(_limits(findings)),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _describe_model(findings: Findings) -> Iterable[str]:
    record = findings.model.record
    yield f"digest `{findings.digest}`, recipe `{findings.recipe}`, trial {record.trial}"
    yield f"predicts {_plain(record.label)} ({record.task})"
    if record.classes:
        yield f"classes: {', '.join(map(_plain, record.classes[:50]))}"
    chosen = ", ".join(f"{_plain(name)} {_plain(value)}" for name, value in record.hyperparameters.items())
    if chosen:
        yield f"hyperparameters: {chosen}"
    yield _plain(findings.twin)


def _describe_data(findings: Findings) -> Iterable[str]:
    record = findings.model.record
    yield f"data version `{record.digests.get('snapshot', 'not recorded')}`"
    yield f"schema `{record.digests.get('schema', 'not recorded')}`"
    inputs = (f"{_plain(entry['name'])} ({entry['kind']})" for entry in findings.model.signature.inputs)
    yield f"inputs: {', '.join(inputs)}"
    if findings.personal:
        yield f"personal columns, whose values are not published: {', '.join(sorted(findings.personal))}"


def _metrics(estimates: Mapping[str, Estimate]) -> str:
    if not estimates:
        return "Nothing could be measured."
    rows = [(TITLES[name], show_value(one), show_interval(one)) for name, one in estimates.items()]
    return _table(("Metric", "Value", "95 % interval"), rows)


def _decision(findings: Findings) -> Iterable[str]:
    decision = findings.judged.decision
    if findings.judged.task == "binary":
        cause = "" if decision.costs is None else ", which was cheapest on the eval split"
        positive = _plain(findings.model.record.classes[-1])
        yield f"Answers count as {positive} from {show(decision.threshold)} on{cause}."


def _slices(findings: Findings) -> str:
    name = PRIMARY[findings.judged.task]
    rows = [
        (_plain(found.name), f"{found.rows:,}", show_value(one), show_interval(one))
        for found in findings.slices.measured[:_MOST_SLICES]
        if (one := found.estimates.get(name))
    ]
    return _table(("Slice", "Rows", TITLES[name], "95 % interval"), rows) if rows else "None was asked for."


def _weak(findings: Findings) -> Iterable[str]:
    if findings.search.found:
        loss = "squared error" if findings.judged.task == "regression" else "log loss"
        yield f"Weakest of {findings.search.tested:,} slices that were looked at, beyond chance:"
        rows = [
            (_plain(found.slice.name), f"{found.slice.rows:,}", show(found.loss), show(found.rest))
            for found in findings.search.found
        ]
        yield _table(("Slice", "Rows", f"Mean {loss}", "Elsewhere"), rows)


def _fairness(findings: Findings) -> Iterable[str]:
    if findings.gaps:
        rows = [
            (_plain(gap.column), TITLES[gap.metric], _plain(gap.lowest), _plain(gap.highest),
             f"{show_value(gap.difference)} ({show_interval(gap.difference)})")
            for gap in findings.gaps
        ]  # fmt: skip
        yield "## Between groups"
        yield _table(("Column", "Metric", "Lowest", "Highest", "Difference"), rows)


def _others(findings: Findings) -> str:
    judged, name = findings.judged, PRIMARY[findings.judged.task]
    metric = "log_loss" if judged.task == "binary" else name
    rows: list[Sequence[str]] = []
    for other in (judged.constant, judged.reference, judged.baseline):
        change = other.differences.get(metric) if other else None
        if other and change:
            rows.append((other.who, TITLES[metric], show_value(change), show_interval(change)))
        elif other:
            rows.append((other.who, TITLES[metric], "not comparable", _plain(other.obstacle or "")))
    return (
        _table(("Other", "Metric", "This model less the other", "95 % interval"), rows) if rows else "None."
    )


def _limits(findings: Findings) -> Iterable[str]:
    if findings.config.limits:
        yield _plain(findings.config.limits)
    yield f"judged on {findings.rows.rows:,} rows of one test split; other times and places may differ"
    yield from map(_plain, findings.verdict.reasons)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(value: object) -> str:
    """Return text that neither breaks a table nor becomes HTML."""
    text = " ".join(str(value).split())
    for mark, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(mark, safe)
    return text

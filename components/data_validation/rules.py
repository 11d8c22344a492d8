"""The rules a batch is held against: what each is called, how grave it is and what it means."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("error", "warning", "off")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        severity: `error` stops the run, `warning` is only reported, `off` is not even that.
        meaning: What a breach means for the reader, one sentence without a full stop.
    """

    severity: str
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One breach of a rule.

    Attributes:
        rule: Key of `RULES`.
        feature: Column, or None when it concerns the whole batch.
        split: Split, or None when it concerns all of them.
        value: What was found: a number, or a word such as a type; None when there is nothing to show.
        threshold: What was allowed, likewise.
        message: One plain line for people; no value of a personal column.
        example: A row or a value that shows it, for people; None when there is none, or none may be shown.
        severity: What the user asked for of this one finding; None leaves it to the rule.
    """

    rule: str
    feature: str | None = None
    split: str | None = None
    value: float | str | None = None
    threshold: float | str | None = None
    message: str
    example: str | None = None
    severity: str | None = None


def _error(meaning: str) -> Rule:
    return Rule(severity="error", meaning=meaning)


def _warning(meaning: str) -> Rule:
    return Rule(severity="warning", meaning=meaning)


# In order of gravity: findings are listed so, and the first one ends the run's last line.
RULES = {
    "label_missing": _error("there is nothing to learn without the label column"),
    "label_null": _error("rows without a label cannot be trained on or judged"),
    "label_constant": _error("the label never varies, so there is nothing to tell apart"),
    "column_vanished": _error("the model that serves takes this column and would miss it"),
    "type_changed": _error("the column no longer holds what it held when the baseline was trained"),
    "column_new": _error("the schema does not know this column"),
    "too_few_rows": _error("a split this small neither trains nor judges a model"),
    "row_count_fell": _error("a large part of the data seems not to have arrived"),
    "column_emptied": _error("the column used to hold values and now holds none"),
    "check_failed": _error("a check that was written for this data does not hold"),
    "out_of_range": _error("values lie outside what the policy, or the calendar, allows"),
    "outside_domain": _error("values are not among those that the policy lists"),
    "required_missing": _error("the policy asks for a value in every row"),
    "not_unique": _error("the policy asks for another value in every row"),
    "infinite_values": _error("infinities turn means and gradients into nonsense"),
    "missing_rose": _error("many values that used to be there are now missing"),
    "value_vanished": _error("a part of the data seems not to have arrived"),
    "calendar_gap": _error("a period since the baseline is missing, or the calendar shifted"),
    "drift": _error("the values are spread differently than when the baseline was trained"),
    "label_leak": _error("a column known only with the answer makes a model that fails when it is asked"),
    "schema_anomaly": _error("a constraint written in the schema does not hold"),
    "label_personal": _warning("a model cannot answer with classes and keep them to itself"),
    "label_one_class": _warning("on this split some metrics cannot be computed"),
    "label_imbalance": _warning("a model may ignore the rare class and still look good"),
    "column_empty": _warning("the column holds no value at all to learn from and is left out"),
    "column_empty_in_split": _warning("the column cannot be judged on this split"),
    "row_count_grew": _warning("far more rows than before; were some loaded twice?"),
    "column_filled": _warning("nothing is known of what this column held before, so nothing was compared"),
    "missing_values": _warning("the schema knew this column without missing values"),
    "nan_values": _warning("not-a-number counts as a missing value from here on"),
    "unseen_value": _warning("values that the schema does not list; serving handles them as unknown"),
    "many_values": _warning("too many different texts to learn each; most will be unknown when serving"),
    "column_constant": _warning("one single value: nothing can be learnt from it"),
    "near_duplicate": _warning("two columns tell the same; one of them is enough"),
    "skew": _warning("train and this split are spread differently; the metrics may mislead"),
}

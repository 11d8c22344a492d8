"""Expositions of several servers become one, by the format's own reader."""

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.local.serving.counts import merge_metrics

NAMES = ["seats", "a\u2028b", "a\x85b", "a\nb", 'a"b\\']


def exposition(revision):
    registry = CollectorRegistry()
    counter = Counter("millrace_input_missing", "Missing values.", ["revision", "input"], registry=registry)
    for number, name in enumerate(NAMES):
        counter.labels(revision, name).inc(number)
    return generate_latest(registry).decode()


def test_names_of_inputs_with_line_ends_of_any_kind_stay_whole():
    merged = merge_metrics([exposition("a"), exposition("b")])
    assert merged.count("# HELP millrace_input_missing_total ") == 1
    found = {
        (sample.labels["revision"], sample.labels["input"]): sample.value
        for family in text_string_to_metric_families(merged)
        for sample in family.samples
        if sample.name == "millrace_input_missing_total"
    }
    assert found == {(revision, name): number for revision in "ab" for number, name in enumerate(NAMES)}

"""The page and the summary of a run say what happened, also when it ended early."""

from pathlib import Path

from pipelines.report import write_report
from pipelines.summary import summarise


def test_the_summary_tells_the_parts_that_exist(record):
    summary = summarise(record["outputs"])
    assert dict(summary.lines) == {
        "data": "1,000 rows (train 800, eval 200), version abababababab",
        "data gate": "anomalous: column `x` is <all> empty",
    }
    assert summary.curl is None


def test_a_malformed_artifact_does_not_hide_the_rest(record):
    (Path(record["directory"]) / "s" / "snapshot.json").write_text("{")
    assert list(dict(summarise(record["outputs"]).lines)) == ["data gate"]


def test_a_target_that_serves_nothing_is_said(endpoint):
    summary = summarise({"deploy-model": {"endpoint": endpoint}})
    assert summary.lines == [("endpoint", "none: target is `none`")]
    assert summary.curl is None


def test_every_link_of_the_page_resolves_and_values_are_escaped(record):
    page = write_report(record, Path(record["directory"]))
    text = page.read_text()
    links = [part.split('"')[0] for part in text.split('href="')[1:]]
    assert links == ["reports/data-validation.html", "logs/halt.log"]
    assert all((page.parent / link).exists() for link in links)
    assert "<all>" not in text
    assert "&lt;all&gt;" in text


def test_the_page_says_what_was_cached_failed_and_skipped(record):
    text = write_report(record, Path(record["directory"])).read_text()
    pills = [part.split("</span>")[0].rsplit(">", 1)[1] for part in text.split('class="pill')[1:]]
    assert pills == ["refused", "cached", "succeeded", "failed", "skipped"]
